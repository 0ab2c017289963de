using Sandbox.Control.Agent;

namespace Sandbox.Unit.Tests.Library;

/// <summary>Whatever a guest sends, the client ends the connection with a reason: it never hangs, throws on its threads or takes the process down.</summary>
public sealed class HostileGuestTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static TheoryData<byte[]> BadBytes => new()
    {
        new byte[] { 0, 0, 0, 0, 0, 0, 0, 0 }, // a frame shorter than its header
        new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0 }, // 4 GiB
        new byte[] { 8, 0, 0, 0, 99, 0, 0, 0 }, // no such type
        new byte[] { 12, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0 }, // another version
        new byte[] { 8, 0, 0, 0, 1, 0, 1, 0 }, // reserved bits
        new byte[] { 8, 0, 0, 0, 3, 0, 0, 0 }, // Ready before Hello
        new byte[] { 8, 0, 0, 0, 2, 0, 0, 0 }, // a message of the host
    };

    [Theory]
    [MemberData(nameof(BadBytes))]
    public async Task FirstBytes_OutOfOrder_EndTheConnection(byte[] bytes)
    {
        using FakeGuest guest = new();
        guest.SendBytes(bytes);
        Assert.Equal(SandboxErrorKind.GuestFailed, (await guest.Client.Ended.WaitAsync(Patience)).Kind);
    }

    [Fact]
    public async Task UnknownCommand_EndsTheConnection()
    {
        using FakeGuest guest = await FakeGuest.ReadyAsync();
        guest.Send(new StartedMessage(5).Encode);
        Assert.Equal(SandboxErrorKind.GuestFailed, (await guest.Client.Ended.WaitAsync(Patience)).Kind);
    }

    [Fact]
    public async Task CreditThatWasNeverUsed_EndsTheConnection()
    {
        (FakeGuest guest, SandboxProcess _) = await FakeGuest.RunningAsync();
        using (guest)
        {
            guest.Send(new CreditMessage(1, AgentStream.Input, 1).Encode);
            Assert.Equal(SandboxErrorKind.GuestFailed, (await guest.Client.Ended.WaitAsync(Patience)).Kind);
        }
    }

    [Fact]
    public async Task RandomBytes_AlwaysEndTheConnection()
    {
        Random random = new(20261123);
        for (int round = 0; round < 200; round++)
        {
            using FakeGuest guest = new();
            byte[] bytes = new byte[random.Next(8, 300)];
            random.NextBytes(bytes);
            guest.SendBytes(bytes);
            // A frame that asks for more than was sent waits, within its limit: the start timeout is what ends it.
            if (BitConverter.ToUInt32(bytes) is < 8 or > AgentLimits.MaxFrameBytes)
            {
                Assert.Equal(SandboxErrorKind.GuestFailed, (await guest.Client.Ended.WaitAsync(Patience)).Kind);
            }
        }
    }
}
