using System.Text;
using Sandbox.Launch;

namespace Sandbox.Unit.Tests.Library;

/// <summary>Files that are not what an option says they are: found before anything is started.</summary>
public sealed class BadFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sandbox-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Kernel_Missing_IsNamed() => Rejects(SandboxErrorKind.InvalidOption, "/no/such/kernel", () => KernelFile.Open("/no/such/kernel"));

    [Fact]
    public void Kernel_ThatIsText_IsNamed()
    {
        string path = Write("kernel", Encoding.ASCII.GetBytes(new string('a', 5000)));
        Rejects(SandboxErrorKind.KernelRejected, path, () => KernelFile.Open(path));
    }

    [Fact]
    public void Kernel_ThatIsEmptyOrADirectory_IsRefused()
    {
        string path = Write("empty", []);
        Rejects(SandboxErrorKind.KernelRejected, path, () => KernelFile.Open(path));
        Rejects(SandboxErrorKind.KernelRejected, _folder, () => KernelFile.Open(_folder));
    }

    /// <summary>To open one for reading waits for a writer that never comes.</summary>
    [Fact]
    public async Task Fifo_InThePlaceOfAnyFile_IsRefusedAtOnce()
    {
        string path = Path.Combine(_folder, "fifo");
        System.Diagnostics.Process.Start("mkfifo", path).WaitForExit();
        Rejects(SandboxErrorKind.KernelRejected, path, () => KernelFile.Open(path));
        Rejects(SandboxErrorKind.DiskRejected, path, () => DiskImage.Open(path, "disk", readOnly: true, "disk1"));
        Rejects(SandboxErrorKind.DiskRejected, path, () => DiskImage.Open(path, "disk", readOnly: false, "disk1"));
        Assert.Equal(SandboxErrorKind.DiskRejected, (await Assert.ThrowsAsync<SandboxException>(() => RootFileSystem.OpenAsync(path, default))).Kind);
    }

    /// <summary>An operator may name a file by a link, as anybody may.</summary>
    [Fact]
    public void Disk_ByALink_IsOpened()
    {
        string link = Path.Combine(_folder, "link");
        File.CreateSymbolicLink(link, Write("disk", new byte[4096]));
        using DiskImage disk = DiskImage.Open(link, "disk", readOnly: false, "disk1");
        Assert.Equal(4096, disk.Bytes);
    }

    [Fact]
    public void Kernel_WithTheMagicOfElf_IsLeftToTheVmm()
    {
        using KernelFile kernel = KernelFile.Open(Write("elf", [0x7F, (byte)'E', (byte)'L', (byte)'F', 0]));
        Assert.Equal(5, kernel.Bytes);
    }

    [Fact]
    public async Task Root_ThatIsNoFileSystem_IsNamed()
    {
        string path = Write("root", new byte[4096]);
        SandboxException failure = await Assert.ThrowsAsync<SandboxException>(() => RootFileSystem.OpenAsync(path, default));
        Assert.Equal(SandboxErrorKind.DiskRejected, failure.Kind);
        Assert.Contains(path, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1024, new byte[] { 0xE2, 0xE1, 0xF5, 0xE0 }, "erofs")]
    [InlineData(1024 + 56, new byte[] { 0x53, 0xEF }, "ext4")]
    public async Task Root_IsKnownByItsMagic(int offset, byte[] magic, string type)
    {
        byte[] image = new byte[8192];
        magic.CopyTo(image, offset);
        using RootFileSystem root = await RootFileSystem.OpenAsync(Write("root", image), default);
        Assert.Equal(type, root.Type);
        Assert.True(root.Disk.ReadOnly);
    }

    [Fact]
    public async Task Root_FromADirectory_BecomesAnUnnamedErofsImage()
    {
        Write("hello", "hello"u8.ToArray());
        using RootFileSystem root = await RootFileSystem.OpenAsync(_folder, default);
        Assert.Equal("erofs", root.Type);
        Assert.True(root.Disk.Bytes >= 4096);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(511)]
    [InlineData(513)]
    public void Disk_OfNoWholeSectors_IsRefused(int bytes)
    {
        string path = Write("disk", new byte[bytes]);
        Rejects(SandboxErrorKind.DiskRejected, path, () => DiskImage.Open(path, "disk", readOnly: false, "disk1"));
    }

    [Fact]
    public void Disk_ThatIsACharacterDevice_IsRefused() =>
        Rejects(SandboxErrorKind.DiskRejected, "/dev/null", () => DiskImage.Open("/dev/null", "disk", readOnly: true, "disk1"));

    private static void Rejects(SandboxErrorKind kind, string words, Func<object> open)
    {
        SandboxException failure = Assert.Throws<SandboxException>(open);
        Assert.Equal(kind, failure.Kind);
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
    }

    private string Write(string name, byte[] content)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
