using Sandbox.Device;
using Sandbox.Fuzz.Devices;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.Fuzz.VhostUser;
using Sandbox.Linux;
using Sandbox.VhostUser;

namespace Sandbox.Fuzz.Targets;

/// <summary>
/// The device process's vhost-user side with real sockets, fds and mappings: whatever a front end sends, every fd is closed at the end and no
/// mapping is used after it went away.
/// </summary>
internal sealed class BackendFuzzer : IFuzzer, IDisposable
{
    private readonly FuzzGuest _guest = new();
    private readonly DiskFile _disk = new();
    private readonly FrontendMessage _message = new();
    private readonly byte[] _bytes = new byte[VhostUserLimits.MaxMessageBytes + 64];
    private readonly FdHandle _event = EventFd.Create();
    private readonly FdHandle _records = MemFd.CreateSealed("fuzz-records", 0x8000);

    public string Name => "backend";

    public string Subject => "the device process's vhost-user side: sockets, fds, memory tables, rings";

    public bool MayCrash => true;

    public int MaxInputBytes => 384;

    public void Run(ReadOnlySpan<byte> bytes)
    {
        InputReader input = new(bytes);
        _guest.Begin(strict: false);
        int firstFree = LowestFreeFd();
        int mapsBefore = _guest.Auditor.MapCount;
        using (BackendUnderTest backend = new(_guest, _disk, _records))
        {
            int good = input.Below(16);
            bool alive = true;
            for (int step = 0; step < good && alive && _message.TryMakeGood(step, 1, backend.Features); step++)
            {
                alive = Send(backend, ref input, whole: true);
            }

            while (!input.IsEmpty && alive)
            {
                switch (input.Below(5))
                {
                    case 0:
                        backend.DriverWorks(ref input);
                        break;
                    default:
                        _message.Make(ref input);
                        alive = Send(backend, ref input, whole: !input.OneIn(12));
                        break;
                }

                backend.Turn();
            }
        }

        int free = LowestFreeFd();
        if (free != firstFree)
        {
            throw new SuspicionException($"backend: an fd is still open when the session is over (the lowest free one was {firstFree} and is {free})");
        }

        if (_guest.Auditor.MapCount > mapsBefore)
        {
            throw new FindingException("backend: a mapping is left when the session is over");
        }
    }

    public void Dispose()
    {
        _event.Dispose();
        _records.Dispose();
        _disk.Dispose();
        _guest.Dispose();
    }

    private bool Send(BackendUnderTest backend, ref InputReader input, bool whole)
    {
        VhostUserCodec.WriteHeader(_bytes, _message.Header);
        _message.Payload.CopyTo(_bytes.AsSpan(MessageHeader.SizeBytes));
        Span<int> fds = stackalloc int[_message.FdCount];
        fds.Fill(_message.Fds switch { FdKind.Memory => _guest.File.Number, FdKind.Records => _records.Number, _ => _event.Number });
        ReadOnlySpan<byte> message = _bytes.AsSpan(0, MessageHeader.SizeBytes + _message.PayloadBytes);
        if (!whole)
        {
            // In two pieces, the second with fds that belong to nobody.
            int cut = 1 + input.Below(message.Length - 1);
            bool alive = backend.Receive(message[..cut], fds);
            return alive && backend.Receive(message[cut..], input.OneIn(2) ? fds : []);
        }

        return backend.Receive(message, fds);
    }

    private static int LowestFreeFd()
    {
        using FdHandle probe = EventFd.Create();
        return probe.Number;
    }
}
