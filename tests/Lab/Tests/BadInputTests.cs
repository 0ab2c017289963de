using System.Text;

namespace Sandbox.Lab.Tests;

/// <summary>Bad input ends with 125, one clear line, and nothing left behind.</summary>
[Collection(LabGroup.Name)]
public sealed class BadInputTests(LabHost lab)
{
    [Theory]
    [InlineData("/no/such/kernel", "--kernel", "/no/such/kernel")]
    [InlineData("/no/such/root", "--rootfs", "/no/such/root")]
    [InlineData("/no/such/disk", "--disk", "/no/such/disk")]
    [InlineData("1K", "--memory", "1K")]
    [InlineData("1P", "--memory", "1P")]
    [InlineData("lots", "--memory", "lots")]
    [InlineData("0", "--cpus", "0")]
    [InlineData("10000", "--cpus", "10000")]
    [InlineData("soon", "--timeout", "soon")]
    public async Task Option_WithABadValue_IsNamed(string word, params string[] options)
    {
        Expect.Failure(await UnderWatch([.. options, "--", "/bin/true"]), word);
    }

    [Fact]
    public async Task KernelArguments_TooLong_AreRefused()
    {
        Expect.Failure(await UnderWatch("--kernel-args", new string('x', 3000), "--", "/bin/true"), "command line");
    }

    [Fact]
    public async Task NoCommand_IsRefused()
    {
        CommandResult result = await UnderWatch();
        Expect.ExitCode(125, result);
    }

    [Fact]
    public async Task Kernel_ThatIsText_IsRefused()
    {
        Expect.Failure(await WithFile("--kernel", Encoding.ASCII.GetBytes(new string('a', 4096))), "/tmp/bad-file", "bzImage");
    }

    [Fact]
    public async Task Kernel_ThatIsEmpty_IsRefused()
    {
        Expect.Failure(await WithFile("--kernel", []), "/tmp/bad-file");
    }

    [Fact]
    public async Task BzImage_CutOff_IsRefused()
    {
        byte[] whole = await File.ReadAllBytesAsync(Kernels.PathOf(Kernels.DebianBzImage));
        Expect.Failure(await WithFile("--kernel", whole[..(whole.Length / 2)]), "/tmp/bad-file");
    }

    [Fact]
    public async Task Elf_WithASegmentBeyondMemory_IsRefused()
    {
        Expect.Failure(await WithFile("--kernel", ElfImage.Write(0x100_0000, (0x100_0000, 1UL << 40))), "/tmp/bad-file");
    }

    [Fact]
    public async Task Elf_WithOverlappingSegments_IsRefused()
    {
        Expect.Failure(await WithFile("--kernel", ElfImage.Write(0x100_0000, (0x100_0000, 0x2000), (0x100_1000, 0x2000))), "/tmp/bad-file");
    }

    [Fact]
    public async Task Kernel_ThatNeverAnswers_IsEndedByTheTimeout()
    {
        CommandResult result = await WithFile("--timeout 3s --kernel", ElfImage.Write(0x100_0000, (0x100_0000, 0x2000)));
        Expect.Failure(result, "3 s");
        Assert.True(result.Elapsed.TotalSeconds >= 3, result.ToString());
    }

    [Fact]
    public async Task Kernel_ThatPanics_IsReported()
    {
        Expect.Failure(await UnderWatch("--kernel-args", "rdinit=/no/such/init root=/dev/none", "--", "/bin/true"), "panic");
    }

    [Fact]
    public async Task Root_ThatIsNoFileSystem_IsRefused()
    {
        Expect.Failure(await WithFile("--rootfs", new byte[1 << 20]), "/tmp/bad-file", "ext4");
    }

    [Fact]
    public async Task Kvm_Missing_IsReportedWithTheCure()
    {
        CommandResult result = await lab.ScriptAsync(
            "unshare --mount bash -c 'mount -t tmpfs none /dev && mknod /dev/null c 1 3 && mknod /dev/urandom c 1 9 && exec \"$0\" run -- /bin/true' $sandbox");
        Expect.Failure(result, "/dev/kvm");
    }

    [Fact]
    public async Task Kvm_NotPermitted_IsReportedWithTheCure()
    {
        CommandResult result = await lab.ScriptAsync("chmod 600 /dev/kvm; setpriv --reuid 65534 --regid 65534 --clear-groups $sandbox run -- /bin/true");
        Expect.Failure(result, "/dev/kvm", "permi");
    }

    private Task<CommandResult> UnderWatch(params string[] arguments) => Leftovers.WatchAsync(lab, $"$sandbox run {string.Join(' ', arguments.Select(argument => $"'{argument}'"))}");

    /// <summary>The file's bytes go in by standard input.</summary>
    private Task<CommandResult> WithFile(string option, byte[] content) =>
        Leftovers.WatchAsync(lab, $"$sandbox run {option} /tmp/bad-file -- /bin/true </dev/null", "cat >/tmp/bad-file", "rm /tmp/bad-file", content);
}
