using System.Buffers.Text;
using Sandbox.Linux;

namespace Sandbox.Vmm.Legacy;

/// <summary>
/// The console's pipe. It never blocks: a launcher that does not read loses console bytes, not the guest. What was lost is
/// said in the stream itself as soon as there is room again.
/// </summary>
/// <param name="pipe">Write end, non-blocking, borrowed.</param>
internal sealed class ConsoleOutput(int pipe)
{
    private const int BatchBytes = 64;

    private readonly byte[] _note = new byte[BatchBytes];

    private ulong _unreportedBytes;

    /// <summary>Sends one byte, or counts it.</summary>
    public void Write(byte value)
    {
        if (_unreportedBytes != 0 && TryWrite(Note()))
        {
            _unreportedBytes = 0;
        }

        if (_unreportedBytes != 0 || !TryWrite([value]))
        {
            _unreportedBytes++;
        }
    }

    /// <summary>A pipe takes up to 4096 bytes whole or not at all (pipe(7)).</summary>
    private bool TryWrite(ReadOnlySpan<byte> bytes) => FdIo.Write(pipe, bytes) == bytes.Length;

    private ReadOnlySpan<byte> Note()
    {
        "\n["u8.CopyTo(_note);
        _ = Utf8Formatter.TryFormat(_unreportedBytes, _note.AsSpan(2), out int digits);
        " bytes of console lost]\n"u8.CopyTo(_note.AsSpan(2 + digits));
        return _note.AsSpan(0, 2 + digits + " bytes of console lost]\n"u8.Length);
    }
}
