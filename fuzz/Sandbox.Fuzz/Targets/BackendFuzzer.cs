using Sandbox.Device;
using Sandbox.Device.Block;
using Sandbox.Fuzz.Devices;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.Fuzz.VhostUser;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.VhostUser;

namespace Sandbox.Fuzz.Targets;

/// <summary>
/// The device process's vhost-user side with real sockets, fds and mappings: whatever a front end sends, every fd is closed at the end and no
/// mapping is used after it went away.
/// </summary>
internal sealed class BackendFuzzer : IFuzzer, IDisposable
{
    private const int RecordFileBytes = 0x8000;

    private readonly FuzzGuest _guest = new();
    private readonly DiskFile _disk = new();
    private readonly FrontendMessage _message = new();
    private readonly byte[] _bytes = new byte[VhostUserLimits.MaxMessageBytes + 64];
    private readonly FdHandle _event = EventFd.Create();
    private readonly FdHandle _records = MemFd.CreateSealed("fuzz-records", RecordFileBytes);

    private readonly BlockWorkers _workers = new(2);
    private readonly GuestMemory _recordBytes;

    public BackendFuzzer()
    {
        GuestWatch.Watcher = null;
        _recordBytes = GuestMemory.Map(_records.Number, [new GuestMemoryRegion(new GuestAddress(0), RecordFileBytes, 0)]);
    }

    public string Name => "backend";

    public string Subject => "the device process's vhost-user side: sockets, fds, memory tables, rings";

    public bool MayCrash => true;

    public int MaxInputBytes => 384;

    public void Run(ReadOnlySpan<byte> bytes)
    {
        InputReader input = new(bytes);
        _guest.Begin(strict: false);
        ClearRecords();
        OpenFds fds = OpenFds.Before();
        int mapsBefore = _guest.Auditor.MapCount;
        using (BackendUnderTest backend = new(_guest, _disk, _records, _workers))
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
                    case 0 when input.OneIn(2):
                        backend.DriverAsks(ref input);
                        break;
                    case 0:
                        backend.DriverWorks(ref input);
                        RewriteRecords(ref input);
                        break;
                    default:
                        _message.Make(ref input);
                        alive = Send(backend, ref input, whole: !input.OneIn(12));
                        break;
                }

                backend.Turn();
            }
        }

        fds.RequireSame(Name);
        if (_guest.Auditor.MapCount > mapsBefore)
        {
            throw new FindingException("backend: a mapping is left when the session is over");
        }
    }

    public void Dispose()
    {
        _event.Dispose();
        _recordBytes.Dispose();
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

    private void ClearRecords()
    {
        IGuestWatcher? watcher = GuestWatch.Watcher;
        GuestWatch.Watcher = null;
        if (_recordBytes.TryGetSlice(new GuestAddress(0), RecordFileBytes, out GuestSlice all))
        {
            all.Clear();
        }

        GuestWatch.Watcher = watcher;
    }

    // The records lie with whoever keeps them: what a successor finds there may be anything.
    private void RewriteRecords(ref InputReader input)
    {
        if (!input.OneIn(3))
        {
            return;
        }

        Span<byte> bytes = stackalloc byte[8];
        BitConverter.TryWriteBytes(bytes, input.OneIn(2) ? input.Edge() : (ulong)input.Below(20));
        ulong at = (ulong)(0x1000 * input.Below(3)) + (uint)input.Below(40);
        IGuestWatcher? watcher = GuestWatch.Watcher;
        GuestWatch.Watcher = null;
        _ = _recordBytes.TryWrite(new GuestAddress(at), bytes[..(1 << input.Below(4))]);
        GuestWatch.Watcher = watcher;
    }
}
