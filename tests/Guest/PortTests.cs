using Sandbox.Control.Launch;

namespace Sandbox.Guest.Tests;

/// <summary>IN and OUT, as a guest sees them.</summary>
public sealed class PortTests
{
    [KvmFact]
    public void Ports_EveryWidthAndRepetition_AnswerAsAnIsaBusDoes()
    {
        MicroVmResult result = MicroVm.Run(new() { Guest = "ports" });

        result.AssertEnded(EndReason.GuestShutdown);
        Assert.Equal("ffffffff", result["pci-address"]); // no PCI bus
        Assert.Equal("ffff", result["unknown-word"]);
        Assert.Equal("ff", result["unknown-byte"]);
        Assert.Equal("5a", result["scratch"]);
        Assert.Equal("b060", result["line-status-and-modem-status"]);
        Assert.Contains("\nstring output\n", result.Console, StringComparison.Ordinal);
        Assert.Equal("5a5a5a5a5a5a5a5a", result["string-input"]);
        Assert.Equal("1", result["keyboard-status"]);
        Assert.Equal("0", result["clock-update-in-progress"]);
    }

    [KvmFact]
    public void SerialPort_TransmitterInterrupt_ComesOnceForEachEmptyTransmitter()
    {
        MicroVmResult result = MicroVm.Run(new() { Guest = "serialirq" });

        result.AssertEnded(EndReason.GuestShutdown);
        Assert.StartsWith("...\n", result.Console, StringComparison.Ordinal);
        Assert.Equal("1", result["idle"]); // nothing pending
        Assert.Equal("2", result["cause"]); // transmitter empty
        Assert.Equal("1", result["cause-taken"]); // reading the cause took it away
        Assert.Equal("4", result["interrupts"]); // one for enabling it, three for the bytes
    }

    [KvmFact]
    public void Console_NobodyReads_LosesBytesButDoesNotHoldUpTheGuest()
    {
        using MicroVm vm = MicroVm.Start(new() { Guest = "flood" });

        Assert.Equal((int)EndReason.GuestShutdown, vm.WaitForExit().Code);
        string console = vm.WaitForEnd().Console;
        Assert.Equal(65536, console.Length); // a pipe's capacity, pipe(7)
        Assert.Equal("", console.Trim('x'));
    }
}
