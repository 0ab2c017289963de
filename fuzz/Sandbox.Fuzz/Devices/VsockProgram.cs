using Sandbox.Linux;

namespace Sandbox.Fuzz.Devices;

/// <summary>A program of the host's at the other end of a socket: it writes a row of its own, and compares what it reads.</summary>
internal sealed class VsockProgram(FdHandle end, uint port, byte serial) : IDisposable
{
    public uint Port { get; } = port;

    public byte Serial { get; } = serial;

    /// <summary>Whose bytes it has had, or who has had its own: known from the first of them on.</summary>
    public VsockTalk? Talk { get; private set; }

    public uint Written { get; private set; }

    public uint BytesRead { get; private set; }

    /// <summary>It has read the end of its guest's bytes.</summary>
    public bool SawEnd { get; private set; }

    /// <summary>It reads no more: the device may end the connection.</summary>
    public bool ReadsNoMore { get; private set; }

    public bool WritesNoMore { get; private set; }

    public void Write(Span<byte> scratch)
    {
        VsockStream.Fill(scratch, Serial, Written);
        Written += (uint)Math.Max(UnixSocket.Send(end.Number, scratch, []), 0);
    }

    /// <summary>Reads once; false when there is nothing now.</summary>
    /// <param name="scratch">To read into.</param>
    /// <param name="guest">Who says what the guest has sent; null: the guest does as it likes, nothing is compared.</param>
    public bool Read(Span<byte> scratch, VsockGuest? guest)
    {
        int count = FdIo.Read(end.Number, scratch);
        if (count <= 0)
        {
            bool end = count != -(int)Errno.EAGAIN; // a reset, where it had written what nobody took
            SawEnd |= end;
            if (end && guest is { IsCertain: true } && !ReadsNoMore && Talk is { Ended: false, Spoilt: false })
            {
                throw new FindingException("vsock: a program reads an end that its guest has not made");
            }

            return false;
        }

        if (guest is not null)
        {
            Compare(scratch[..count], guest);
        }

        BytesRead += (uint)count;
        return true;
    }

    public void Shut(bool reading, bool writing)
    {
        _ = reading && writing ? UnixSocket.Shutdown(end.Number) : reading ? UnixSocket.ShutdownRead(end.Number) : UnixSocket.ShutdownWrite(end.Number);
        ReadsNoMore |= reading;
        WritesNoMore |= writing;
    }

    /// <summary>A byte has gone between the two: from now on they are one connection.</summary>
    public void Bind(VsockTalk talk)
    {
        if (Talk == talk)
        {
            return;
        }

        if (Talk is not null || talk.Program is not null || talk.HostPort != Port)
        {
            throw new FindingException($"vsock: bytes of a connection to port {talk.HostPort} go between it and a program of another, of port {Port}");
        }

        Talk = talk;
        talk.Program = this;
    }

    public void Dispose() => end.Dispose();

    private void Compare(ReadOnlySpan<byte> bytes, VsockGuest guest)
    {
        if (Talk is null || BytesRead == 0)
        {
            Bind(guest.TalkOf(bytes[0]) ?? throw new FindingException("vsock: a program reads bytes that no guest program has sent"));
        }

        if (BytesRead + (uint)bytes.Length > Talk!.Sent)
        {
            throw new FindingException("vsock: a program reads more than its guest has sent");
        }

        VsockStream.Require(bytes, Talk.Serial, BytesRead, "a program");
    }
}
