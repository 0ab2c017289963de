using Sandbox.Linux;

namespace Sandbox.Cli.Run;

/// <summary>--verbose: the guest's console, byte for byte.</summary>
internal static class ConsoleCopy
{
    private const int StandardError = 2;

    public static void Write(ReadOnlyMemory<byte> bytes) => _ = FdIo.WriteAll(StandardError, bytes.Span);
}
