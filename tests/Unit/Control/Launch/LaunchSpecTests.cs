using System.Buffers.Binary;
using Sandbox.Control.Launch;
using Xunit;

namespace Sandbox.Unit.Tests.Control.Launch;

public sealed class LaunchSpecTests
{
    private static readonly VmmLaunchSpec Machine = new()
    {
        MemoryBytes = 64 << 20,
        CpuCount = 2,
        CommandLine = "console=ttyS0 quiet",
        KernelBytes = 12_345_678,
        InitrdBytes = 3_000_000,
        Devices = [new(DeviceKind.Block, 1), new(DeviceKind.Vsock, 3), new(DeviceKind.Entropy, 1), new(DeviceKind.FileSystem, 2, tag: "work")],
    };

    private static readonly DeviceLaunchSpec Disk = new() { Kind = DeviceKind.Block, ReadOnly = true, CapacityBytes = 512 * 99, SerialId = "root" };

    private static readonly DeviceLaunchSpec Sockets = new() { Kind = DeviceKind.Vsock, GuestCid = 3, VsockPorts = [1024, 1025], VsockGuestPorts = [1025] };

    [Fact]
    public void VmmSpec_EncodedAndDecoded_IsTheSame()
    {
        byte[] content = Content(Machine.Encode, LaunchMessageType.VmmSpec);
        Assert.Equal(LaunchFault.None, VmmLaunchSpec.Decode(content, out VmmLaunchSpec? read));
        Assert.NotNull(read);
        Assert.Equal(Machine.MemoryBytes, read.MemoryBytes);
        Assert.Equal(Machine.CpuCount, read.CpuCount);
        Assert.Equal(Machine.CommandLine, read.CommandLine);
        Assert.Equal(Machine.KernelBytes, read.KernelBytes);
        Assert.Equal(Machine.InitrdBytes, read.InitrdBytes);
        Assert.Equal(Machine.Devices.Select(Fields), read.Devices.Select(Fields));
        static (DeviceKind, int, bool, string) Fields(VmmDevice device) => (device.Kind, device.QueueCount, device.Replaceable, device.Tag);
    }

    [Fact]
    public void DeviceSpec_EncodedAndDecoded_IsTheSame()
    {
        Assert.Equal(LaunchFault.None, DeviceLaunchSpec.Decode(Content(Disk.Encode, LaunchMessageType.DeviceSpec), out DeviceLaunchSpec? disk));
        Assert.Equal((DeviceKind.Block, true, 512L * 99, "root"), (disk!.Kind, disk.ReadOnly, disk.CapacityBytes, disk.SerialId));
        Assert.Equal(LaunchFault.None, DeviceLaunchSpec.Decode(Content(Sockets.Encode, LaunchMessageType.DeviceSpec), out DeviceLaunchSpec? sockets));
        Assert.Equal((DeviceKind.Vsock, 3u), (sockets!.Kind, sockets.GuestCid));
        Assert.Equal([1024u, 1025u], sockets.VsockPorts);
        Assert.Equal([1025u], sockets.VsockGuestPorts);
    }

    [Fact]
    public void Specs_CutAnywhere_AreTruncated()
    {
        byte[] machine = Content(Machine.Encode, LaunchMessageType.VmmSpec);
        for (int length = 0; length < machine.Length; length++)
        {
            Assert.Equal(LaunchFault.Truncated, VmmLaunchSpec.Decode(machine.AsSpan(0, length), out VmmLaunchSpec? none));
            Assert.Null(none);
        }

        byte[] device = Content(Sockets.Encode, LaunchMessageType.DeviceSpec);
        for (int length = 0; length < device.Length; length++)
        {
            Assert.NotEqual(LaunchFault.None, DeviceLaunchSpec.Decode(device.AsSpan(0, length), out DeviceLaunchSpec? none));
            Assert.Null(none);
        }
    }

    [Fact]
    public void Specs_WithABytePastTheEnd_AreRefused()
    {
        byte[] machine = [.. Content(Machine.Encode, LaunchMessageType.VmmSpec), 0];
        Assert.Equal(LaunchFault.TrailingBytes, VmmLaunchSpec.Decode(machine, out _));
        byte[] device = [.. Content(Disk.Encode, LaunchMessageType.DeviceSpec), 0];
        Assert.Equal(LaunchFault.TrailingBytes, DeviceLaunchSpec.Decode(device, out _));
    }

    [Theory]
    [InlineData(0, 0ul)] // no memory
    [InlineData(0, 4097ul)] // half a page
    [InlineData(0, (1ul << 40) + 4096)]
    [InlineData(0, ulong.MaxValue)]
    public void VmmSpec_MemoryOutOfRange_IsRefused(int offset, ulong value)
    {
        byte[] machine = Content(Machine.Encode, LaunchMessageType.VmmSpec);
        BinaryPrimitives.WriteUInt64LittleEndian(machine.AsSpan(offset), value);
        Assert.Equal(LaunchFault.OutOfRange, VmmLaunchSpec.Decode(machine, out _));
    }

    [Theory]
    [InlineData(8, 0)] // processors
    [InlineData(8, 65)]
    [InlineData(10, 2048)] // length of the command line
    [InlineData(47, 18)] // number of devices
    [InlineData(49, 3)] // kind of the first device
    [InlineData(51, 0)] // its queues
    [InlineData(51, 17)]
    public void VmmSpec_CountOutOfRange_IsRefused(int offset, int value)
    {
        byte[] machine = Content(Machine.Encode, LaunchMessageType.VmmSpec);
        BinaryPrimitives.WriteUInt16LittleEndian(machine.AsSpan(offset), (ushort)value);
        Assert.Equal(LaunchFault.OutOfRange, VmmLaunchSpec.Decode(machine, out _));
    }

    [Theory]
    [InlineData(DeviceKind.FileSystem, 2, "")]
    [InlineData(DeviceKind.FileSystem, 2, "a name that is longer than its field!")]
    [InlineData(DeviceKind.FileSystem, 1, "work")] // no queue for requests
    [InlineData(DeviceKind.Block, 1, "work")]
    public void VmmSpec_TagThatDoesNotFit_IsRefused(DeviceKind kind, int queues, string tag)
    {
        VmmLaunchSpec spec = new()
        {
            MemoryBytes = 64 << 20, CpuCount = 1, CommandLine = "", KernelBytes = 1, InitrdBytes = 0, Devices = [new(kind, queues, tag: tag)],
        };
        Assert.Equal(LaunchFault.OutOfRange, VmmLaunchSpec.Decode(Content(spec.Encode, LaunchMessageType.VmmSpec), out _));
    }

    [Theory]
    [InlineData(0, 3)] // kind
    [InlineData(2, 4)] // read-only, direct
    [InlineData(2, 2)] // direct, and the capacity is no multiple of 4096
    [InlineData(3, 255)] // capacity
    [InlineData(11, 21)] // length of the serial id
    public void DeviceSpec_FieldOutOfRange_IsRefused(int offset, byte value)
    {
        byte[] device = Content(Disk.Encode, LaunchMessageType.DeviceSpec);
        device[offset] = value;
        Assert.Equal(LaunchFault.OutOfRange, DeviceLaunchSpec.Decode(device, out _));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(2u)]
    [InlineData(uint.MaxValue)]
    public void DeviceSpec_ReservedContextId_IsRefused(uint cid)
    {
        DeviceLaunchSpec spec = new() { Kind = DeviceKind.Vsock, GuestCid = cid };
        Assert.Equal(LaunchFault.OutOfRange, DeviceLaunchSpec.Decode(Content(spec.Encode, LaunchMessageType.DeviceSpec), out _));
    }

    [Fact]
    public void DeviceSpec_OfANetwork_IsTheSame()
    {
        DeviceLaunchSpec sent = new() { Kind = DeviceKind.Network, NetBacking = NetBackingKind.Tap, MacAddress = 0x02_FF_EE_DD_CC_BB, Mtu = 1500, BytesPerSecond = 1_000_000, QueueCount = LaunchLimits.MaxNetworkPairs };
        Assert.Equal(LaunchFault.None, DeviceLaunchSpec.Decode(Content(sent.Encode, LaunchMessageType.DeviceSpec), out DeviceLaunchSpec? received));
        Assert.Equal((NetBackingKind.Tap, 0x02_FF_EE_DD_CC_BBul, 1500, 1_000_000L), (received!.NetBacking, received.MacAddress, received.Mtu, received.BytesPerSecond));
        Assert.Equal(LaunchLimits.MaxNetworkPairs, received.QueueCount);
        Assert.True(NetworkQueues.Of(received.QueueCount) <= LaunchLimits.MaxQueues);
    }

    [Theory]
    [InlineData(0L, 0L, LaunchFault.None)]
    [InlineData(1L << 40, 1_000_000_000L, LaunchFault.None)]
    [InlineData((1L << 40) + 1, 0L, LaunchFault.OutOfRange)]
    [InlineData(0L, 1_000_000_001L, LaunchFault.OutOfRange)]
    public void DeviceSpec_RateOfADisk_IsTheSameOrRefused(long bytes, long operations, LaunchFault expected)
    {
        DeviceLaunchSpec sent = new() { Kind = DeviceKind.Block, CapacityBytes = 512, BytesPerSecond = bytes, OperationsPerSecond = operations };
        Assert.Equal(expected, DeviceLaunchSpec.Decode(Content(sent.Encode, LaunchMessageType.DeviceSpec), out DeviceLaunchSpec? received));
        Assert.True(received is null || (received.BytesPerSecond, received.OperationsPerSecond) == (bytes, operations));
    }

    [Theory]
    [InlineData(0ul, 1500, 0L, 0)]
    [InlineData(0x01_00_5E_00_00_01ul, 1500, 0L, 0)] // a group's address
    [InlineData(1ul << 48, 1500, 0L, 0)]
    [InlineData(2ul << 40, 67, 0L, 0)]
    [InlineData(2ul << 40, 1500, (1L << 40) + 1, 0)]
    [InlineData(2ul << 40, 1500, 0L, 2)] // no such backing
    [InlineData(2ul << 40, 1500, 0L, 0, 0)]
    [InlineData(2ul << 40, 1500, 0L, 0, 8)]
    public void DeviceSpec_NetworkOutOfRange_IsRefused(ulong mac, int mtu, long rate, int backing, int pairs = 1)
    {
        DeviceLaunchSpec spec = new() { Kind = DeviceKind.Network, NetBacking = (NetBackingKind)backing, MacAddress = mac, Mtu = mtu, BytesPerSecond = rate, QueueCount = pairs };
        Assert.Equal(LaunchFault.OutOfRange, DeviceLaunchSpec.Decode(Content(spec.Encode, LaunchMessageType.DeviceSpec), out _));
    }

    [Fact]
    public void VmmSpec_CommandLineWithControlByte_IsRefused()
    {
        byte[] machine = Content(Machine.Encode, LaunchMessageType.VmmSpec);
        machine[12] = (byte)'\n';
        Assert.Equal(LaunchFault.NotPrintable, VmmLaunchSpec.Decode(machine, out _));
    }

    private delegate int Encoder(Span<byte> frame);

    private static byte[] Content(Encoder encode, LaunchMessageType expected)
    {
        byte[] frame = new byte[LaunchLimits.MaxFrameBytes];
        int length = encode(frame);
        Assert.Equal(LaunchFault.None, LaunchFrame.ReadHeader(frame, out LaunchMessageType type, out int contentBytes));
        Assert.Equal(expected, type);
        Assert.Equal(length, LaunchFrame.HeaderBytes + contentBytes);
        return frame[LaunchFrame.HeaderBytes..length];
    }
}
