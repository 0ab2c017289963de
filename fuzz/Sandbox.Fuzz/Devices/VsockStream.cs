namespace Sandbox.Fuzz.Devices;

/// <summary>
/// What is sent on a connection: a row of bytes whose first says whose row it is, and in which no two places near each other go on alike.
/// So bytes that are lost, moved or another's are seen.
/// </summary>
internal static class VsockStream
{
    public static byte At(byte serial, uint place) => unchecked((byte)(serial + place + (37 * (place >> 8)) + (91 * (place >> 16))));

    public static void Fill(Span<byte> bytes, byte serial, uint place)
    {
        for (int index = 0; index < bytes.Length; index++)
        {
            bytes[index] = At(serial, place + (uint)index);
        }
    }

    /// <exception cref="FindingException">They are other bytes.</exception>
    public static void Require(ReadOnlySpan<byte> bytes, byte serial, uint place, string who)
    {
        for (int index = 0; index < bytes.Length; index++)
        {
            if (bytes[index] != At(serial, place + (uint)index))
            {
                throw new FindingException($"vsock: bytes to {who} are lost, changed or another's");
            }
        }
    }
}
