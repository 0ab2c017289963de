using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.CompilerServices;

namespace Sandbox.Unit.Tests.Kernels;

/// <summary>The recipe's script that takes the ELF kernel out of a bzImage, on images made here.</summary>
public sealed class UnpackBzImageTests : IDisposable
{
    private const int SetupSectors = 3;
    private const int PayloadOffset = 100;

    private readonly string _folder = Directory.CreateTempSubdirectory("sandbox-bzimage-").FullName;
    private readonly byte[] _kernel = [0x7F, (byte)'E', (byte)'L', (byte)'F', .. Enumerable.Range(0, 50_000).Select(value => (byte)(value * 7 % 256))];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Unpack_Gzip_GivesTheKernel()
    {
        Assert.Equal("", Unpack(Image(Gzip(_kernel))));
        Assert.Equal(_kernel, File.ReadAllBytes(Output));
    }

    [Theory]
    [InlineData("xz", "--check=crc32")]
    [InlineData("lz4", "-l")]
    [InlineData("zstd", "-q")]
    public void Unpack_OtherCompressionWithLengthBehind_GivesTheKernel(string tool, string option)
    {
        // The kernel's build puts the uncompressed length behind every format but gzip.
        byte[] length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, _kernel.Length);
        Assert.Equal("", Unpack(Image([.. Compress(tool, option), .. length])));
        Assert.Equal(_kernel, File.ReadAllBytes(Output));
    }

    [Fact]
    public void Unpack_TextFile_SaysSo() => Assert.Contains("no bzImage", Unpack(new byte[5000]), StringComparison.Ordinal);

    [Fact]
    public void Unpack_Truncated_SaysSo()
    {
        byte[] image = Image(Gzip(_kernel));
        Assert.Contains("truncated", Unpack(image[..^1]), StringComparison.Ordinal);
    }

    [Fact]
    public void Unpack_OldProtocol_SaysSo()
    {
        byte[] image = Image(Gzip(_kernel));
        image[0x206] = 7;
        Assert.Contains("older than 2.08", Unpack(image), StringComparison.Ordinal);
    }

    [Fact]
    public void Unpack_DamagedPayload_SaysSo()
    {
        byte[] image = Image(Gzip(_kernel));
        image[^5] ^= 0xFF; // in gzip's check sum
        Assert.Contains("does not decompress", Unpack(image), StringComparison.Ordinal);
    }

    [Fact]
    public void Unpack_UnknownCompression_SaysSo() => Assert.Contains("unknown compression", Unpack(Image(new byte[100])), StringComparison.Ordinal);

    [Fact]
    public void Unpack_PayloadIsNoElf_SaysSo() => Assert.Contains("no ELF file", Unpack(Image(Gzip(new byte[100]))), StringComparison.Ordinal);

    private string Output => Path.Combine(_folder, "vmlinux");

    /// <summary>Linux boot protocol: setup_sects at 0x1F1, "HdrS" at 0x202, version at 0x206, payload_offset and payload_length at 0x248.</summary>
    private static byte[] Image(byte[] payload)
    {
        int start = ((SetupSectors + 1) * 512) + PayloadOffset;
        byte[] image = new byte[start + payload.Length];
        image[0x1F1] = SetupSectors;
        "HdrS"u8.CopyTo(image.AsSpan(0x202));
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(0x206), 0x20F);
        BinaryPrimitives.WriteInt32LittleEndian(image.AsSpan(0x248), PayloadOffset);
        BinaryPrimitives.WriteInt32LittleEndian(image.AsSpan(0x24C), payload.Length);
        payload.CopyTo(image, start);
        return image;
    }

    private static byte[] Gzip(byte[] content)
    {
        using MemoryStream output = new();
        using (GZipStream gzip = new(output, CompressionLevel.Fastest))
        {
            gzip.Write(content);
        }

        return output.ToArray();
    }

    private byte[] Compress(string tool, string option)
    {
        string plain = Path.Combine(_folder, "plain");
        string packed = Path.Combine(_folder, "packed");
        File.WriteAllBytes(plain, _kernel);
        Assert.Equal("", Shell($"{tool} {option} -c {plain} >{packed}"));
        return File.ReadAllBytes(packed);
    }

    /// <summary>What the script says on standard error; empty when it ends with 0.</summary>
    private string Unpack(byte[] image)
    {
        string path = Path.Combine(_folder, "bzImage");
        File.WriteAllBytes(path, image);
        return Shell($"{Path.Combine(Kernels(), "unpack-bzimage.sh")} {path} {Output}");
    }

    private static string Shell(string command)
    {
        using Process process = Process.Start(new ProcessStartInfo("/bin/bash", ["-c", command]) { RedirectStandardError = true })!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(errors.Length == 0, process.ExitCode == 0);
        return errors;
    }

    private static string Kernels([CallerFilePath] string path = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "..", "..", "..", "kernels"));
}
