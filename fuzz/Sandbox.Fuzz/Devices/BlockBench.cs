using System.Buffers.Binary;
using Sandbox.Device;
using Sandbox.Device.Block;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.Linux;
using Sandbox.Virtio.Block;

namespace Sandbox.Fuzz.Devices;

/// <summary>The block device on a file that is longer than the disk: what lies behind the disk must never change. Alone, or with the threads of its process.</summary>
internal sealed class BlockBench : DeviceBench
{
    private readonly BlockModel _model;
    private readonly RequestCutter _cutter;
    private readonly List<Request> _pending = [];
    private readonly SectorsInWork _sectors = new();
    private readonly DiskThreads? _threads;
    private readonly DiskFile _file;
    private readonly bool _readOnly;
    private BlockDevice _device;
    private readonly byte[] _content;

    public BlockBench(FuzzGuest guest, DiskFile file, bool readOnly)
        : this(guest, file, readOnly, Make(file, readOnly))
    {
    }

    public BlockBench(FuzzGuest guest, DiskFile file, bool readOnly, DiskThreads threads, ref InputReader input)
        : this(guest, file, readOnly, threads.Make(ref input, file.Fd, readOnly)) => _threads = threads;

    private BlockBench(FuzzGuest guest, DiskFile file, bool readOnly, BlockDevice device)
        : base(guest)
    {
        _cutter = new RequestCutter(guest);
        _file = file;
        _readOnly = readOnly;
        _model = new BlockModel(readOnly);
        _content = new byte[BlockModel.FileBytes];
        file.Write(_model.File);
        _device = device;
    }

    public override VirtioDevice Device => _device;

    // Threads end what they have begun, as no killed process does.
    public override bool CanBeKilled => _threads is null;

    // The end of what threads do wakes the loop, which then asks.
    public override bool MustAskForKicks(int queueIndex, bool atEnd) => _threads is null;

    public override void Replace() => _device = Make(_file, _readOnly);

    public override void FeaturesAgreed(ulong features)
    {
        _model.Features = features;
        base.FeaturesAgreed(features);
    }

    public override bool TryAddRequest(ref InputReader input, int queueIndex, FuzzQueue queue)
    {
        uint type = input.OneIn(8) ? input.Edge32() : input.Pick<uint>([0, 0, 1, 1, 4, 8, 11, 13]);
        ulong sector = input.OneIn(3) ? input.Edge() : (ulong)input.Below(BlockModel.Sectors + 2);
        Span<byte> readable = stackalloc byte[16 + 4096];
        BinaryPrimitives.WriteUInt32LittleEndian(readable, type);
        BinaryPrimitives.WriteUInt64LittleEndian(readable[8..], sector);
        int readableBytes = 16;
        int writableBytes = 1;
        switch (type)
        {
            case 0:
                writableBytes += DataBytes(ref input);
                break;
            case 1:
                int data = DataBytes(ref input);
                readable.Slice(16, data).Fill((byte)(input.Byte() | 1));
                readableBytes += data;
                break;
            case 8:
                writableBytes += input.OneIn(4) ? input.Below(64) : 20;
                break;
            case 11 or 13:
                int ranges = input.OneIn(8) ? input.Below(40) : 1 + input.Below(3);
                for (int range = 0; range < ranges; range++)
                {
                    Span<byte> entry = readable.Slice(16 + (16 * range), 16);
                    BinaryPrimitives.WriteUInt64LittleEndian(entry, input.OneIn(6) ? input.Edge() : (ulong)input.Below(BlockModel.Sectors + 1));
                    BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], input.OneIn(6) ? input.Edge32() : (uint)input.Below(8));
                    BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], input.OneIn(4) ? input.Edge32() : type == 13 ? 1u : 0);
                }

                readableBytes += 16 * ranges;
                break;
            default:
                break;
        }

        // Now and then a request of another length than its type asks for.
        readableBytes = input.OneIn(16) ? input.Below(48) : readableBytes;
        writableBytes = input.OneIn(16) ? input.Below(4) : writableBytes;
        return TryAdd(ref input, queueIndex, queue, readable[..readableBytes], writableBytes);
    }

    public override bool Turn() => _threads?.Turn(_device) ?? _device.Work();

    /// <summary>The driver chooses when its writes are on the medium, or a process takes over.</summary>
    public override void Disturb(ref InputReader input)
    {
        if (_threads is null)
        {
            return;
        }

        if (input.OneIn(8))
        {
            _device.TakenOver();
            return;
        }

        uint offset = input.OneIn(4) ? input.Byte() : (uint)BlockConfigSpace.WritebackOffset;
        byte value = (byte)(input.OneIn(4) ? input.Byte() : input.Below(2));
        bool taken = _device.TryWriteConfig(offset, [value]);
        bool allowed = offset == BlockConfigSpace.WritebackOffset && value <= 1 && (_model.Features & BlockFeatureBits.ConfigWriteback) != 0;
        if (taken != allowed || (taken && _device.ConfigSpace[BlockConfigSpace.WritebackOffset] != value))
        {
            throw new FindingException($"block: a write of {value} to byte {offset} of the configuration was {(taken ? "taken" : "refused")}");
        }
    }

    public override void QueueStarted(int queueIndex)
    {
        foreach (Request forgotten in _pending.Where(request => request.Queue == queueIndex))
        {
            _sectors.Add(forgotten.Readable, (int)forgotten.Writable, -1);
        }

        _pending.RemoveAll(request => request.Queue == queueIndex);
    }

    public override void Completed(int queueIndex, ushort head, uint writtenBytes)
    {
        // With threads they are answered as they end.
        int place = _threads is null ? 0 : _pending.FindIndex(request => request.Queue == queueIndex && request.Head == head);
        if (place < 0 || place >= _pending.Count || _pending[place].Head != head)
        {
            throw new FindingException("block: an answer to no request, or requests are answered in another order than they came");
        }

        Request request = _pending[place];
        _pending.RemoveAt(place);
        _sectors.Add(request.Readable, (int)request.Writable, -1);
        byte[] writable = new byte[request.Writable];
        RequestCutter.ReadWritable(Guest, request.Buffers, 0, writable);
        _model.Judge(request.Readable, writable, writtenBytes);
        _threads?.Answered(writable[^1] == 0 ? BlockModel.BytesMoved(request.Readable, writable.Length - 1) : 0);
    }

    public override void CheckAtEnd(bool behaved)
    {
        if (FileRange.Length(_file.Fd) != BlockModel.FileBytes)
        {
            throw new FindingException("block: the file has another size than before");
        }

        _file.Read(_content);
        _model.CheckFile(_content, behaved);
    }

    public override void Dispose()
    {
        if (_threads is not null)
        {
            DiskThreads.End(_device); // also of a driver that nobody judges: the guest's memory is another's next
        }
    }

    private bool TryAdd(ref InputReader input, int queueIndex, FuzzQueue queue, scoped ReadOnlySpan<byte> readable, int writableBytes)
    {
        if (_threads is not null && !_sectors.MayBegin(readable, writableBytes))
        {
            return false;
        }

        _cutter.Begin();
        if (!_cutter.TryAddReadable(ref input, readable) || !_cutter.TryAddWritable(ref input, writableBytes)
            || !queue.TryAdd(_cutter.Buffers, input.OneIn(4), out ushort head))
        {
            return false;
        }

        _pending.Add(new Request(queueIndex, head, readable.ToArray(), _cutter.Buffers.ToArray(), (uint)writableBytes));
        _sectors.Add(readable, writableBytes, 1);
        return true;
    }

    private static BlockDevice Make(DiskFile file, bool readOnly) => new(file.Fd, BlockModel.CapacityBytes, readOnly, BlockModel.Serial);

    private static int DataBytes(ref InputReader input) => input.OneIn(8) ? input.U16() % 4096 : 512 * input.Below(5);

    private sealed record Request(int Queue, ushort Head, byte[] Readable, FuzzBuffer[] Buffers, uint Writable);
}
