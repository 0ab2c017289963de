using System.Diagnostics;
using Sandbox.Initramfs;
using Sandbox.Linux;

namespace Sandbox.Unit.Tests.Initramfs;

/// <summary>The system's cpio as the independent witness of what our writer writes.</summary>
public sealed class InitramfsBuilderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sandbox-initramfs-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Write_InitAndModules_CpioListsEveryEntry()
    {
        (string init, string modules) = Input();
        string listing = Cpio("-itv --quiet", Archive(init, modules));
        string[] lines = listing.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
            ["dev", "proc", "sys", "newroot", "dev/console", "dev/null", "init", "modules", "modules/order", "modules/one.ko", "modules/two.ko"],
            lines.Select(line => line.Split(' ')[^1]));
        Assert.StartsWith("drwxr-xr-x   2 root     root", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("crw-------   1 root     root       5,   1", lines[4], StringComparison.Ordinal);
        Assert.StartsWith("crw-rw-rw-   1 root     root       1,   3", lines[5], StringComparison.Ordinal);
        Assert.StartsWith("-rwxr-xr-x   1 root     root        12345", lines[6], StringComparison.Ordinal);
        Assert.StartsWith("-rw-r--r--   1 root     root            1", lines[9], StringComparison.Ordinal);
    }

    [Fact]
    public void Write_Files_CpioExtractsTheirBytes()
    {
        (string init, string modules) = Input();
        string output = Path.Combine(_folder, "out");
        Directory.CreateDirectory(output);
        Cpio($"-idm --quiet --no-absolute-filenames -D {output} init modules/*", Archive(init, modules));
        Assert.Equal(File.ReadAllBytes(init), File.ReadAllBytes(Path.Combine(output, "init")));
        Assert.Equal("one.ko\ntwo.ko\n", File.ReadAllText(Path.Combine(output, "modules/order")));
    }

    [Fact]
    public void Write_SameInput_SameBytes()
    {
        (string init, string modules) = Input();
        Assert.Equal(Archive(init, modules), Archive(init, modules));
    }

    [Fact]
    public void Write_WithoutModules_HasNoModulesFolder() =>
        Assert.DoesNotContain("modules", Cpio("-it --quiet", Archive(Input().Init, null)), StringComparison.Ordinal);

    [Fact]
    public void Write_ModuleOfAnOptionalDevice_IsThereWhenTheDeviceIs()
    {
        (string init, string modules) = Input();
        File.WriteAllText(Path.Combine(modules, "order"), "one.ko\ntwo.ko net\n");
        Assert.DoesNotContain("modules/two.ko", Cpio("-it --quiet", Archive(init, modules)), StringComparison.Ordinal);
        Assert.DoesNotContain("modules/two.ko", Cpio("-it --quiet", Archive(init, modules, "balloon")), StringComparison.Ordinal);
        byte[] archive = Archive(init, modules, "net");
        Assert.Contains("modules/two.ko", Cpio("-it --quiet", archive), StringComparison.Ordinal);
        Assert.Equal("one.ko\ntwo.ko\n", Cpio("-i --quiet --to-stdout modules/order", archive));
    }

    [Theory]
    [InlineData("a.ko net more")]
    [InlineData("../etc/passwd")]
    [InlineData("a/b.ko")]
    [InlineData("..")]
    public void Write_OrderNamesAPath_Fails(string name)
    {
        (string init, string modules) = Input();
        File.WriteAllText(Path.Combine(modules, "order"), name + "\n");
        Assert.Throws<IOException>(() => Archive(init, modules));
    }

    /// <summary>A folder of modules that a stranger made: a link would carry any file of this host into the guest.</summary>
    [Theory]
    [InlineData("one.ko")]
    [InlineData("order")]
    public void Write_NameIsALink_FailsClosed(string name)
    {
        (string init, string modules) = Input();
        string link = Path.Combine(modules, name);
        File.Move(link, Path.Combine(_folder, "elsewhere"));
        File.CreateSymbolicLink(link, "../elsewhere");
        Assert.Equal(Errno.ELOOP, Assert.Throws<LinuxException>(() => Archive(init, modules)).Errno);
    }

    [Fact]
    public void Write_ModuleIsAFifo_FailsAtOnce()
    {
        (string init, string modules) = Input();
        string path = Path.Combine(modules, "one.ko");
        File.Delete(path);
        Process.Start("mkfifo", path).WaitForExit();
        Assert.Throws<IOException>(() => Archive(init, modules));
    }

    [Fact]
    public void Build_Result_IsSealedAndHoldsTheArchive()
    {
        (string init, string modules) = Input();
        using FdHandle file = InitramfsBuilder.Build(init, modules, new HashSet<string>(), out long size);
        byte[] content = new byte[size];
        Assert.Equal(size, FdIo.ReadAt(file.Number, content, 0));
        Assert.Equal(Archive(init, modules), content);
        Assert.Equal(-(int)Errno.EPERM, FdIo.Write(file.Number, [1]));
    }

    private (string Init, string Modules) Input()
    {
        string init = Path.Combine(_folder, "sandbox-init");
        byte[] content = new byte[12345];
        new Random(1).NextBytes(content);
        File.WriteAllBytes(init, content);
        string modules = Path.Combine(_folder, "modules");
        Directory.CreateDirectory(modules);
        File.WriteAllText(Path.Combine(modules, "order"), "one.ko\ntwo.ko\n");
        File.WriteAllBytes(Path.Combine(modules, "one.ko"), [1]);
        File.WriteAllBytes(Path.Combine(modules, "two.ko"), [1, 2, 3]);
        return (init, modules);
    }

    private static byte[] Archive(string init, string? modules, params string[] wanted)
    {
        using MemoryStream output = new();
        InitramfsBuilder.Write(output, init, modules, wanted.ToHashSet());
        return output.ToArray();
    }

    private static string Cpio(string arguments, byte[] archive)
    {
        using Process process = Process.Start(new ProcessStartInfo("cpio", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.StandardInput.BaseStream.Write(archive);
        process.StandardInput.Close();
        string text = process.StandardOutput.ReadToEnd();
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors);
        return text;
    }
}
