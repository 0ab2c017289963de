using Sandbox.Control.Launch;
using Sandbox.Labels;
using Sandbox.Linux;

namespace Sandbox.Runtime;

/// <summary>
/// Connects to the operator's programs for a running vsock device, whenever its guest makes one more connection. The device process may be hostile: it
/// names a port by its place, has one question at a time, and is answered no faster than the rate; all it gains are connections to these programs.
/// </summary>
/// <param name="paths">The socket behind each of the host's ports, in the order of the device's spec; empty: this one has only its first connection.</param>
/// <param name="security">What labels a connection; not owned.</param>
internal sealed class VsockConnector(IReadOnlyList<string> paths, SandboxSecurity security)
{
    /// <summary>Connections that are made at once after a pause.</summary>
    public const int Burst = 64;

    /// <summary>What comes after them waits for its turn: 200 in a second.</summary>
    public const int MillisecondsEach = 5;

    /// <summary>How often a program whose backlog is full is tried: for a tenth of a second, in which others wait too.</summary>
    public const int MostTries = 20;

    private int _asked = -1;
    private int _tries;
    private long _tryAgainAt;
    private long _paidUntil; // each connection moves it on by its time; no further than a burst ahead of now

    /// <summary>A question of the device's.</summary>
    public LaunchFault Ask(int port, int control)
    {
        // Room in the socket is that its answers are taken: who only asks would fill it with sockets.
        if (_asked >= 0 || port >= paths.Count || paths[port].Length == 0 || Poll.Wait(control, PollEvents.Writable, 0, out _) <= 0)
        {
            return LaunchFault.OutOfRange;
        }

        _asked = port;
        return LaunchFault.None;
    }

    /// <summary>Answers what has been asked, if its time has come. How many milliseconds it takes until then; -1: nothing has been asked.</summary>
    public int Answer(int control, long nowMilliseconds)
    {
        if (_asked < 0)
        {
            return -1;
        }

        long wait = Math.Max(_tryAgainAt, _paidUntil - ((Burst - 1) * MillisecondsEach)) - nowMilliseconds;
        if (wait > 0)
        {
            return (int)wait;
        }

        _paidUntil = Math.Max(_paidUntil, nowMilliseconds) + MillisecondsEach;
        using FdHandle? connection = security.TryConnectChannel(paths[_asked], out bool busy);
        if (busy && ++_tries < MostTries)
        {
            _tryAgainAt = nowMilliseconds + MillisecondsEach; // many come at once, and it accepts one after the other
            return MillisecondsEach;
        }

        if (connection is null || !Send(control, connection))
        {
            _ = Send(control, null); // no such program now, or too many sockets are on their way for this user: refused
        }

        _asked = -1;
        _tries = 0;
        return -1;
    }

    private bool Send(int control, FdHandle? connection)
    {
        Span<byte> frame = stackalloc byte[VsockAnswer.FrameBytes];
        _ = new VsockAnswer(_asked, connection is not null).Encode(frame);
        return UnixSocket.Send(control, frame, connection is null ? [] : [connection.Number]) > 0;
    }
}
