using System.Diagnostics;
using System.Globalization;
using Sandbox.Control.Launch;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Remote;

namespace Sandbox.Fuzz.Commands;

/// <summary>A lying front end against any vhost-user back end, over its socket: looks for crash, hang, and memory or fds that grow.</summary>
internal static class VhostUserCommand
{
    private const int InputBytes = 512;
    private const int WarmUpSessions = 30;
    private const int RecordedSessions = 1000;
    private const long MaxGrowthKiB = 16 * 1024;
    private const int MaxGrowthFds = 16;

    public static int Run(CommandOptions options)
    {
        string device = options.Text("device") ?? throw new ArgumentException("--device blk, rng, balloon or vsock is missing");
        DeviceKind kind = device switch
        {
            "blk" => DeviceKind.Block,
            "rng" => DeviceKind.Entropy,
            "balloon" => DeviceKind.Balloon,
            "vsock" => DeviceKind.Vsock,
            _ => throw new ArgumentException($"--device {device}: blk, rng, balloon or vsock"),
        };
        using IBackendSource source = options.Text("socket") is { } path ? new ListeningBackend(path)
            : options.Text("exec") is { } exe ? new StartedBackend(exe, kind)
            : throw new ArgumentException("give --socket PATH, or --exec PATH of a sandbox-device");
        using RemoteSession session = new();
        if (options.Text("replay") is { } recorded)
        {
            return Replay(source, session, device, Directory.Exists(recorded) ? [.. Corpus.Files(recorded)] : [recorded]);
        }

        return Look(source, session, device, options);
    }

    private static int Look(IBackendSource source, RemoteSession session, string device, CommandOptions options)
    {
        string folder = Path.Combine(options.FindingsFolder, "vhost-user-" + device);
        TimeSpan time = TimeSpan.FromSeconds(options.Number("time", 10));
        SeededRandom random = new((ulong)options.Number("seed", 1));
        byte[] input = new byte[InputBytes];
        Queue<byte[]> last = new();
        Stopwatch clock = Stopwatch.StartNew();
        long privateKiB = 0;
        int fds = 0;
        int sessions = 0;
        for (; clock.Elapsed < time; sessions++)
        {
            int length = 16 + random.Below(InputBytes - 16);
            random.Fill(input.AsSpan(0, length));
            last.Enqueue(input[..length]);
            if (last.Count > (source.IsOneProcess ? RecordedSessions : 1))
            {
                _ = last.Dequeue();
            }

            if (One(source, session, device, input.AsSpan(0, length)) is { } what)
            {
                return Report(folder, device, last, what);
            }

            if (source.IsOneProcess && sessions == WarmUpSessions)
            {
                (privateKiB, fds) = (source.Peer.PrivateKiB, source.Peer.FdCount);
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"vhost-user {device}: {sessions} sessions, {sessions / clock.Elapsed.TotalSeconds:F0}/s"));
        if (!source.IsOneProcess || sessions <= WarmUpSessions)
        {
            return 0;
        }

        long grownKiB = source.Peer.PrivateKiB - privateKiB;
        int grownFds = source.Peer.FdCount - fds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"vhost-user {device}: the other process has {grownKiB} KiB and {grownFds} fds more than after {WarmUpSessions} sessions"));
        return grownKiB > MaxGrowthKiB || grownFds > MaxGrowthFds
            ? Report(folder, device, last, $"growth: {grownKiB} KiB and {grownFds} fds in {sessions - WarmUpSessions} sessions from seed {options.Number("seed", 1)}")
            : 0;
    }

    private static string? One(IBackendSource source, RemoteSession session, string device, ReadOnlySpan<byte> input)
    {
        using Linux.FdHandle? socket = source.Connect();
        if (socket is null)
        {
            return "crash: nobody takes a connection any more";
        }

        string? what = session.Run(socket, device, input);
        socket.Dispose();
        return source.Finish() is { } ended ? $"crash: {ended}" : what;
    }

    // All of a row of sessions: what kills a process may have been done to it long before.
    private static int Replay(IBackendSource source, RemoteSession session, string device, string[] files)
    {
        foreach (string file in files)
        {
            if (One(source, session, device, File.ReadAllBytes(file)) is { } what)
            {
                Console.WriteLine($"vhost-user: FINDING {what}");
                return 1;
            }
        }

        Thread.Sleep(source.IsOneProcess ? 1000 : 0); // a process that has gone wrong may take a moment to notice
        string? late = source.IsOneProcess ? source.Finish() : null;
        Console.WriteLine(late is null ? $"nothing happened in {files.Length} sessions" : $"vhost-user: FINDING crash: {late}");
        return late is null ? 0 : 1;
    }

    private static int Report(string folder, string device, IReadOnlyCollection<byte[]> sessions, string what)
    {
        string path = Path.Combine(folder, DateTime.UtcNow.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture));
        Directory.CreateDirectory(path);
        int number = 0;
        foreach (byte[] input in sessions)
        {
            File.WriteAllBytes(Path.Combine(path, number.ToString("d4", CultureInfo.InvariantCulture)), input);
            number++;
        }

        Console.Error.WriteLine($"vhost-user: FINDING {what}");
        Console.Error.WriteLine($"vhost-user: replay its last {number} sessions with the same --socket or --exec and: --device {device} --replay {path}");
        return 1;
    }
}
