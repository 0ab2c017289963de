using System.Text;
using Sandbox.Device.Block;
using Sandbox.Launch;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Unit.Tests.Device;
using Sandbox.Virtio;

namespace Sandbox.Unit.Tests.Museum;

/// <summary>Rows 21, 23 and 28 of the museum (README.md in this folder).</summary>
public sealed class MuseumFileTests : IDisposable
{
    private const uint In = 0;
    private const uint Out = 1;

    private readonly string _folder = Directory.CreateTempSubdirectory("sandbox-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>A qcow2 header with a backing file.</summary>
    private static byte[] Qcow2(string backingFile)
    {
        byte[] sector = new byte[512];
        "QFI"u8.CopyTo(sector);
        sector[3] = 0xFB;
        sector[7] = 3; // version
        sector[15] = 104; // backing_file_offset
        sector[19] = (byte)backingFile.Length;
        Encoding.ASCII.GetBytes(backingFile).CopyTo(sector, 104);
        return sector;
    }

    /// <summary>The guest writes an image format's header into its raw disk: it reads back what it wrote, and nothing else is opened (GHSA-jmr4-g2hv-mjj6).</summary>
    [Fact]
    public void Museum21_ImageHeaderWrittenByTheGuest_StaysBytes()
    {
        using BlockHarness block = new();
        byte[] header = Qcow2("/etc/passwd");
        Assert.Equal(0, block.Run(Out, 0, block.Guest.Place(header), 512, false));
        GuestAddress back = block.Guest.Allocate(512);

        Assert.Equal(0, block.Run(In, 0, back, 512, true));
        Assert.Equal(header, block.Guest.Read(back, 512));
        Assert.Equal(BlockHarness.Sectors * 512, FileRange.Length(block.File.Number));
    }

    /// <summary>The next start with that disk takes it as raw sectors of the file's own size.</summary>
    [Fact]
    public void Museum21_DiskThatLooksLikeAnImage_IsRaw()
    {
        string path = Path.Combine(_folder, "disk");
        byte[] content = new byte[4096];
        Qcow2("/etc/passwd").CopyTo(content, 0);
        File.WriteAllBytes(path, content);

        using DiskImage disk = DiskImage.Open(path, "disk", readOnly: false, "disk0");

        Assert.Equal(4096, disk.Bytes);
        Assert.DoesNotContain(Directory.GetFiles("/proc/self/fd"), fd => new FileInfo(fd).LinkTarget == "/etc/passwd");
    }

    /// <summary>Read-only is held by the host's fd: neither a driver that does not take the feature nor a device that forgot it can write (CVE-2026-46695).</summary>
    [Fact]
    public void Museum23_WriteToAReadOnlyDisk_FailsAtTheHost()
    {
        string path = Path.Combine(_folder, "disk");
        File.WriteAllBytes(path, new byte[BlockHarness.Sectors * 512]);
        using DiskImage disk = DiskImage.Open(path, "disk", readOnly: true, "disk0");
        using TestGuest guest = new();
        // The device is told that the disk is writable: what is left is the fd.
        BlockDevice device = new(disk.File.Number, (ulong)disk.Bytes, readOnly: false, "disk0");
        device.FeaturesAgreed(0);
        DriverQueue driver = new(guest, 16);
        Assert.Equal(VirtqueueFault.None, device.Queues[0].Ring.Configure(guest.Memory, driver.Layout, 0, 0));
        byte[] header = new byte[16];
        header[0] = (byte)Out;
        GuestAddress status = guest.Place([0xEE]);
        driver.Add(
            new DriverBuffer(guest.Place(header), 16, false),
            new DriverBuffer(guest.Place(Enumerable.Repeat((byte)7, 512).ToArray()), 512, false),
            new DriverBuffer(status, 1, true));

        device.Work();

        Assert.Equal(1, guest.Read(status, 1)[0]);
        Assert.DoesNotContain((byte)7, File.ReadAllBytes(path));
    }

    /// <summary>A root that is nothing starts nothing, least of all with something of the host's (CVE-2026-24054).</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(512)]
    [InlineData(1 << 20)]
    public async Task Museum28_RootImageWithNothingInIt_FailsClosed(int bytes)
    {
        string path = Path.Combine(_folder, "root");
        await File.WriteAllBytesAsync(path, new byte[bytes]);

        SandboxException failure = await Assert.ThrowsAsync<SandboxException>(() => RootFileSystem.OpenAsync(path, default));

        Assert.Equal(SandboxErrorKind.DiskRejected, failure.Kind);
        Assert.Contains(path, failure.Message, StringComparison.Ordinal);
    }
}
