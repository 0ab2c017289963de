using System.Text;
using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Guest.Tests;

/// <summary>Crash-only: a guest on KVM whose disk's process is killed again and again, and what the VMM takes for a replacement.</summary>
public sealed class CrashTests : IDisposable
{
    private readonly string _image = Path.GetTempFileName();

    public CrashTests() => File.WriteAllBytes(_image, new byte[64 * 1024]);

    public void Dispose() => File.Delete(_image);

    [KvmFact]
    public void DeviceProcess_KilledAtRandomMoments_IsReplacedAndTheGuestSeesNoError()
    {
        int kills = int.TryParse(Environment.GetEnvironmentVariable("KILLS"), out int wanted) ? wanted : 25;
        using MicroVm vm = Start();
        Random random = new(3);
        for (int kill = 0; kill < kills; kill++)
        {
            Thread.Sleep(random.Next(30));
            vm.ReplaceDisk();
        }

        using (FileStream stop = new(_image, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            stop.Write("stop!!!!"u8);
        }

        MicroVmResult result = vm.WaitForEnd();
        result.AssertEnded(EndReason.GuestShutdown);
        Assert.Equal("0", result["wrong"]);
        Assert.True(Convert.ToInt32(result["rounds"], 16) > 0, result.Console); // how many depends on the machine
    }

    [KvmFact]
    public void Replacement_WithoutAnFdOrWithTwo_EndsTheMachine()
    {
        foreach (int count in new[] { 0, 2 })
        {
            using MicroVm vm = Start();
            using FdHandle other = EventFd.Create();
            vm.SendReplacement(0, count == 0 ? [] : [other.Number, other.Number]);
            vm.WaitForEnd().AssertEnded(EndReason.SpecRejected);
        }
    }

    [KvmTheory]
    [InlineData(1, true)] // no such device
    [InlineData(0, false)] // one that is not replaced
    public void Replacement_OfWhatCannotBeReplaced_EndsTheMachine(int place, bool replaceable)
    {
        using MicroVm vm = Start(replaceable);
        using FdHandle other = EventFd.Create();
        vm.SendReplacement(place, other.Number);
        vm.WaitForEnd().AssertEnded(EndReason.SpecRejected);
    }

    [KvmFact]
    public void Replacement_ThatIsNoSocket_LosesTheBackend()
    {
        using MicroVm vm = Start();
        using FdHandle other = EventFd.Create();
        vm.SendReplacement(0, other.Number);
        vm.WaitForEnd().AssertEnded(EndReason.BackendLost);
    }

    private MicroVm Start(bool replaceable = true)
    {
        MicroVm vm = MicroVm.Start(new() { Guest = "blockload", DiskImage = _image, Replaceable = replaceable });
        StringBuilder console = new();
        while (!console.ToString().EndsWith("running\n", StringComparison.Ordinal))
        {
            console.Append(vm.ReadConsoleByte());
        }

        return vm;
    }
}
