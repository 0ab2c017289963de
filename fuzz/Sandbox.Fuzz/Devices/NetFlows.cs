namespace Sandbox.Fuzz.Devices;

/// <summary>A few flows that both ends speak in: among addresses drawn at random none of the guest's would meet one of the network's.</summary>
internal static class NetFlows
{
    public const int Count = 4;

    private const int Bytes = 38; // Ethernet, IPv4 without options, the ports

    /// <summary>Makes a frame that is long enough one of this flow.</summary>
    public static void Put(Span<byte> frame, int flow)
    {
        if (frame.Length < Bytes)
        {
            return;
        }

        frame[12] = 8; // IPv4
        frame[13] = 0;
        frame[14] = 0x45;
        frame[20] = 0; // no fragment
        frame[21] = 0;
        frame[23] = 6;
        ReadOnlySpan<byte> addressesAndPorts = [10, 0, 0, (byte)flow, 10, 0, 1, (byte)flow, 0, 0, 0, 0];
        addressesAndPorts.CopyTo(frame[26..]);
    }
}
