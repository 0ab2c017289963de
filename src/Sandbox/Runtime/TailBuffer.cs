using System.Text;

namespace Sandbox.Runtime;

/// <summary>The last bytes of an untrusted stream; everything older is forgotten. Thread-safe.</summary>
internal sealed class TailBuffer(int capacityBytes)
{
    private readonly byte[] _bytes = new byte[capacityBytes];
    private readonly Lock _gate = new();
    private long _total;

    public void Append(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            _total += data.Length;
            data = data[Math.Max(0, data.Length - _bytes.Length)..];
            int end = (int)((_total - data.Length) % _bytes.Length);
            int first = Math.Min(data.Length, _bytes.Length - end);
            data[..first].CopyTo(_bytes.AsSpan(end));
            data[first..].CopyTo(_bytes);
        }
    }

    /// <summary>What is kept, each byte as one character; what is no printable ASCII, tab or line feed becomes '?'.</summary>
    public string Text()
    {
        lock (_gate)
        {
            int count = (int)Math.Min(_total, _bytes.Length);
            StringBuilder text = new(count);
            for (long place = _total - count; place < _total; place++)
            {
                byte value = _bytes[place % _bytes.Length];
                text.Append(value is (>= 0x20 and < 0x7F) or (byte)'\t' or (byte)'\n' ? (char)value : value == '\r' ? ' ' : '?');
            }

            return text.ToString();
        }
    }

    /// <summary>The last line that is not blank; empty when there is none.</summary>
    public string LastLine() => LastLines(1);

    /// <summary>The last lines that are not blank, "; " between them; empty when there are none.</summary>
    public string LastLines(int count)
    {
        string[] lines = Text().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        int first = Math.Max(0, lines.Length - count);
        return string.Join("; ", lines, first, lines.Length - first);
    }
}
