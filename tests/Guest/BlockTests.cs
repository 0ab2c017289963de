using System.Buffers.Binary;
using Sandbox.Control.Launch;

namespace Sandbox.Guest.Tests;

/// <summary>virtio-blk from a driver in the guest to a file behind the device process, and back by interrupt.</summary>
public sealed class BlockTests : IDisposable
{
    private readonly string _image = Path.GetTempFileName();

    public BlockTests()
    {
        byte[] content = new byte[64 * 1024];
        Random.Shared.NextBytes(content);
        File.WriteAllBytes(_image, content);
    }

    public void Dispose() => File.Delete(_image);

    [KvmFact]
    public void Disk_ReadWriteIdentifyFlush_ReachTheImageAndComeBack()
    {
        byte[] before = File.ReadAllBytes(_image);

        MicroVmResult result = MicroVm.Run(new() { Guest = "block", DiskImage = _image });

        result.AssertEnded(EndReason.GuestShutdown);
        Assert.Equal("74726976", result["magic"]);
        Assert.Equal("74726976", result["magic-kept"]); // the guest reads registers from memory that it cannot write
        Assert.Equal("2", result["id"]);
        Assert.Equal($"{before.Length / 512:x}", result["capacity"]);
        Assert.Equal("f", result["status"]); // DRIVER_OK, no complaint
        Assert.Equal("201", result["read-length"]);
        Assert.Equal("0", result["read-status"]);
        Assert.Equal($"{BinaryPrimitives.ReadUInt64LittleEndian(before):x}", result["read-first"]);
        Assert.Equal("1", result["write-length"]);
        Assert.Equal("0", result["write-status"]);
        Assert.Equal("f0e0d0c0b0a0908", result["read-back"]);
        Assert.Equal("15", result["identify-length"]);
        Assert.Equal("786f62646e6173", result["identify"][2..]); // "sandbox", without the "d" after it
        Assert.Equal("0", result["flush-status"]);
        Assert.Equal("1", result["beyond-status"]); // VIRTIO_BLK_S_IOERR
        Assert.Equal("2", result["unknown-status"]); // VIRTIO_BLK_S_UNSUPP

        byte[] after = File.ReadAllBytes(_image);
        Assert.Equal(before[..512], after[..512]);
        Assert.Equal(Enumerable.Range(0, 512).Select(value => (byte)(value & 0xFF)), after[512..1024]);
        Assert.Equal(before[1024..], after[1024..]);
    }

    [KvmFact]
    public void DeviceProcess_Killed_EndsTheMachineAsBackendLost()
    {
        using MicroVm vm = MicroVm.Start(new() { Guest = "halt", DiskImage = _image });
        _ = vm.ReadConsoleByte();

        vm.Disk!.Kill();

        vm.WaitForEnd().AssertEnded(EndReason.BackendLost);
    }
}
