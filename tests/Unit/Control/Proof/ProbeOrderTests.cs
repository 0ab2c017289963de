using System.Text;
using Sandbox.Control.Proof;

namespace Sandbox.Unit.Tests.Control.Proof;

public sealed class ProbeOrderTests
{
    private static readonly ProbeOrder Order = new()
    {
        Act = ForbiddenAct.ConnectToPath,
        Process = ProbedProcess.VsockDevice,
        Filtered = true,
        OtherPid = 11,
        NeighbourPid = 12,
        LauncherPid = 13,
        Address = 0xFFFF_8000_0000_1000,
        SharedMemoryId = 14,
        Port = 65_535,
        BackingFd = 6,
        BackingBytes = 1L << 40,
        GuestMemoryFd = 40,
        SocketPath = "/proc/7/fd/9",
    };

    [Fact]
    public void Order_EncodedAndDecoded_IsTheSame()
    {
        Assert.True(ProbeOrderView.TryDecode(Order.Encode(), out ProbeOrderView view));
        Assert.Equal(Order.Act, view.Act);
        Assert.Equal(Order.Process, view.Process);
        Assert.True(view.Filtered);
        Assert.Equal((11, 12, 13), (view.OtherPid, view.NeighbourPid, view.LauncherPid));
        Assert.Equal(unchecked((nint)Order.Address), view.Address);
        Assert.Equal((14, 65_535), (view.SharedMemoryId, view.Port));
        Assert.Equal((6, 1L << 40, 40), (view.BackingFd, view.BackingBytes, view.GuestMemoryFd));
        Assert.Equal("/proc/7/fd/9", Encoding.ASCII.GetString(view.SocketPath));
    }

    [Fact]
    public void Order_WithTheLongestPath_IsWhole()
    {
        ProbeOrder order = new() { Act = ForbiddenAct.Fork, Process = ProbedProcess.None, Filtered = false, SocketPath = new string('p', 107) };
        Assert.True(ProbeOrderView.TryDecode(order.Encode(), out ProbeOrderView view));
        Assert.Equal(107, view.SocketPath.Length);
        Assert.False(view.Filtered);
    }

    [Fact]
    public void Order_WithAPathThatIsTooLong_IsRefused()
    {
        ProbeOrder order = new() { Act = ForbiddenAct.Fork, Process = ProbedProcess.None, Filtered = false, SocketPath = new string('p', 108) };
        Assert.Throws<ArgumentException>(() => order.Encode());
    }

    [Fact]
    public void Decode_OfOtherBytes_Fails()
    {
        byte[] bytes = Order.Encode();
        Assert.False(ProbeOrderView.TryDecode(bytes.AsSpan(1), out _));
        bytes[0]++;
        Assert.False(ProbeOrderView.TryDecode(bytes, out _));
    }
}
