using System.Buffers.Binary;
using Sandbox.Device;
using Sandbox.Device.Block;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.Linux;

namespace Sandbox.Fuzz.Devices;

/// <summary>The block device on a file that is longer than the disk: what lies behind the disk must never change.</summary>
internal sealed class BlockBench : DeviceBench
{
    private readonly BlockModel _model;
    private readonly RequestCutter _cutter;
    private readonly Queue<(ushort Head, byte[] Readable, FuzzBuffer[] Buffers, uint Writable)> _pending = new();
    private readonly BlockDevice _device;
    private readonly DiskFile _file;
    private readonly byte[] _content;

    public BlockBench(FuzzGuest guest, DiskFile file, bool readOnly)
        : base(guest)
    {
        _cutter = new RequestCutter(guest);
        _file = file;
        _model = new BlockModel(readOnly);
        _content = new byte[BlockModel.FileBytes];
        file.Write(_model.File);
        _device = new BlockDevice(file.Fd, BlockModel.CapacityBytes, readOnly, BlockModel.Serial);
    }

    public override VirtioDevice Device => _device;

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
        return TryAdd(ref input, queue, readable[..readableBytes], writableBytes);
    }

    public override void QueueStarted(int queueIndex) => _pending.Clear();

    public override void Completed(int queueIndex, ushort head, uint writtenBytes)
    {
        if (!_pending.TryDequeue(out (ushort Head, byte[] Readable, FuzzBuffer[] Buffers, uint Writable) request) || request.Head != head)
        {
            throw new FindingException("block: requests are answered in another order than they came");
        }

        byte[] writable = new byte[request.Writable];
        RequestCutter.ReadWritable(Guest, request.Buffers, 0, writable);
        _model.Judge(request.Readable, writable, writtenBytes);
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

    public override void Dispose() => _pending.Clear();

    private bool TryAdd(ref InputReader input, FuzzQueue queue, scoped ReadOnlySpan<byte> readable, int writableBytes)
    {
        _cutter.Begin();
        if (!_cutter.TryAddReadable(ref input, readable) || !_cutter.TryAddWritable(ref input, writableBytes)
            || !queue.TryAdd(_cutter.Buffers, input.OneIn(4), out ushort head))
        {
            return false;
        }

        _pending.Enqueue((head, readable.ToArray(), _cutter.Buffers.ToArray(), (uint)writableBytes));
        return true;
    }

    private static int DataBytes(ref InputReader input) => input.OneIn(8) ? input.U16() % 4096 : 512 * input.Below(5);
}
