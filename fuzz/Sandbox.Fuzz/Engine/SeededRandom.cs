namespace Sandbox.Fuzz.Engine;

/// <summary>splitmix64: the same numbers from the same seed on every runtime.</summary>
internal struct SeededRandom(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        unchecked
        {
            _state += 0x9E3779B97F4A7C15;
            ulong value = _state;
            value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
            value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
            return value ^ (value >> 31);
        }
    }

    public int Below(int count) => (int)(Next() % (ulong)count);

    public void Fill(Span<byte> bytes)
    {
        for (int index = 0; index < bytes.Length; index += sizeof(ulong))
        {
            ulong value = Next();
            for (int at = index; at < bytes.Length && at < index + sizeof(ulong); at++)
            {
                bytes[at] = (byte)(value & 0xFF);
                value >>= 8;
            }
        }
    }
}
