using System.Diagnostics;
using System.Globalization;
using Sandbox.Linux;

namespace Sandbox.Unit.Tests.Memory;

/// <summary>What the host holds for a file in memory, told by another program.</summary>
internal static class HostMemory
{
    private const int BlockBytes = 512; // stat(1), %b

    public static long BytesOf(FdHandle file)
    {
        using Process stat = Process.Start(new ProcessStartInfo("stat", ["-L", "-c", "%b", $"/proc/{Environment.ProcessId}/fd/{file.Number}"]) { RedirectStandardOutput = true })!;
        string blocks = stat.StandardOutput.ReadToEnd();
        stat.WaitForExit();
        return BlockBytes * long.Parse(blocks, CultureInfo.InvariantCulture);
    }
}
