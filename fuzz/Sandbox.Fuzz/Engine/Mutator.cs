namespace Sandbox.Fuzz.Engine;

/// <summary>New inputs from old ones, all from one seed.</summary>
internal sealed class Mutator(ulong seed, IFuzzer target)
{
    private static readonly byte[] EdgeBytes = [0, 1, 2, 4, 8, 15, 16, 0x20, 0x3F, 0x40, 0x7F, 0x80, 0xFE, 0xFF];

    private readonly byte[] _buffer = new byte[target.MaxInputBytes];
    private SeededRandom _random = new(seed);
    private int _length;

    /// <summary>The next input; valid until the next call.</summary>
    public ReadOnlySpan<byte> Next(IReadOnlyList<byte[]> corpus)
    {
        if (corpus.Count == 0 || _random.Below(4) == 0)
        {
            // Short ones often: what a few bytes can break is found soonest there.
            int limit = _random.Below(3) == 0 ? Math.Min(64, _buffer.Length) : _buffer.Length;
            _length = 1 + _random.Below(limit);
            _random.Fill(_buffer.AsSpan(0, _length));
            return _buffer.AsSpan(0, _length);
        }

        byte[] parent = corpus[_random.Below(corpus.Count)];
        _length = Math.Min(parent.Length, _buffer.Length);
        parent.AsSpan(0, _length).CopyTo(_buffer);
        for (int step = 1 + _random.Below(6); step != 0; step--)
        {
            Change(corpus);
        }

        return _buffer.AsSpan(0, _length);
    }

    private void Change(IReadOnlyList<byte[]> corpus)
    {
        if (_length == 0)
        {
            _length = 1;
            _buffer[0] = (byte)_random.Below(256);
        }

        int at = _random.Below(_length);
        switch (_random.Below(10))
        {
            case 0:
                _buffer[at] ^= (byte)(1 << _random.Below(8));
                break;
            case 1:
                _buffer[at] = (byte)_random.Below(256);
                break;
            case 2:
                _buffer[at] = EdgeBytes[_random.Below(EdgeBytes.Length)];
                break;
            case 3:
                _buffer[at] = unchecked((byte)(_buffer[at] + _random.Below(9) - 4));
                break;
            case 4: // a run of one value: the extremes of wide numbers
                _buffer.AsSpan(at, Math.Min(1 << _random.Below(4), _length - at)).Fill(EdgeBytes[_random.Below(EdgeBytes.Length)]);
                break;
            case 5: // take out
                int cut = Math.Min(1 + _random.Below(8), _length - at);
                _buffer.AsSpan(at + cut, _length - at - cut).CopyTo(_buffer.AsSpan(at));
                _length -= cut;
                break;
            case 6:
                Insert(at, corpus[_random.Below(corpus.Count)]);
                break;
            case 7 when target.Dictionary.Count != 0:
                byte[] word = target.Dictionary[_random.Below(target.Dictionary.Count)];
                word.AsSpan(0, Math.Min(word.Length, _length - at)).CopyTo(_buffer.AsSpan(at));
                break;
            case 8: // the tail of another
                byte[] other = corpus[_random.Below(corpus.Count)];
                int from = other.Length == 0 ? 0 : _random.Below(other.Length);
                int tail = Math.Min(other.Length - from, _buffer.Length - at);
                other.AsSpan(from, tail).CopyTo(_buffer.AsSpan(at));
                _length = at + tail;
                break;
            default:
                _random.Fill(_buffer.AsSpan(at, Math.Min(1 + _random.Below(8), _length - at)));
                break;
        }
    }

    private void Insert(int at, byte[] source)
    {
        int count = Math.Min(Math.Min(1 + _random.Below(32), source.Length), _buffer.Length - _length);
        if (count <= 0)
        {
            return;
        }

        _buffer.AsSpan(at, _length - at).CopyTo(_buffer.AsSpan(at + count));
        int from = _random.Below(source.Length - count + 1);
        source.AsSpan(from, count).CopyTo(_buffer.AsSpan(at));
        _length += count;
    }
}
