using System.Buffers.Binary;
using Sandbox.Device;
using Sandbox.Device.Balloon;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;

namespace Sandbox.Fuzz.Devices;

/// <summary>The balloon: a good driver's pages read as zero when it has them back, and no byte beside them has changed.</summary>
internal sealed class BalloonBench(FuzzGuest guest) : DeviceBench(guest)
{
    private const uint PageBytes = 4096;
    private const int MaxPages = 8;
    private const byte Full = 0x5A;

    // Left for lists, tables and new rings.
    private const ulong LeastRoom = 0x8000;

    private BalloonDevice _device = new();
    private readonly RequestCutter _cutter = new(guest);
    private readonly List<ulong> _pages = [];
    private readonly Dictionary<(int Queue, ushort Head), ulong[]> _given = [];
    private readonly byte[] _page = new byte[PageBytes];

    public override VirtioDevice Device => _device;

    public override bool CanBeKilled => true;

    public override bool TakesBuffersBack => false; // a page is reported and named again

    public override void Replace() => _device = new BalloonDevice();

    public override bool TryAddRequest(ref InputReader input, int queueIndex, FuzzQueue queue) => queueIndex == BalloonDevice.ReportingQueue
        ? TryReport(ref input, queue)
        : TryName(ref input, queueIndex, queue);

    public override void QueueStarted(int queueIndex)
    {
        foreach ((int Queue, ushort Head) key in _given.Keys.Where(key => key.Queue == queueIndex).ToArray())
        {
            _ = _given.Remove(key);
        }
    }

    public override void Completed(int queueIndex, ushort head, uint writtenBytes)
    {
        if (writtenBytes != 0)
        {
            throw new FindingException($"balloon: {writtenBytes} bytes are said to be written");
        }

        if (!_given.Remove((queueIndex, head), out ulong[]? pages) || queueIndex == BalloonDevice.DeflateQueue)
        {
            return;
        }

        foreach (ulong page in pages)
        {
            Guest.Read(page, _page);
            if (_page.AsSpan().ContainsAnyExcept((byte)0))
            {
                throw new FindingException($"balloon: page 0x{page:x} was not returned");
            }
        }
    }

    public override void Dispose()
    {
    }

    // A list of page numbers; those that are no page of the guest's mean nothing, and a good driver may write them too.
    private bool TryName(ref InputReader input, int queueIndex, FuzzQueue queue)
    {
        Span<byte> list = stackalloc byte[(MaxPages * sizeof(uint)) + 3];
        List<ulong> given = [];
        int bytes = 0;
        for (int count = input.Below(MaxPages + 1); count > 0; count--, bytes += sizeof(uint))
        {
            uint number = input.OneIn(4) ? (uint)(FuzzGuest.LowBytes / PageBytes) + 1 + (input.Edge32() & 0xFFFF) : 0;
            if (number == 0 && Guest.Auditor.Strict && queueIndex == BalloonDevice.InflateQueue)
            {
                if (!TryGive(ref input, 1, out ulong page))
                {
                    return false;
                }

                given.Add(page);
                number = (uint)(page / PageBytes);
            }
            else if (number == 0)
            {
                number = input.OneIn(3) ? input.Edge32() : (uint)input.Below((int)(FuzzGuest.LowBytes / PageBytes) + 2);
            }

            BinaryPrimitives.WriteUInt32LittleEndian(list[bytes..], number);
        }

        bytes += input.OneIn(6) ? input.Below(4) : 0; // a part of a number at the end
        _cutter.Begin();
        if (!_cutter.TryAddReadable(ref input, list[..bytes]) || (input.OneIn(8) && !_cutter.TryAddWritable(ref input, 16)) || !queue.TryAdd(_cutter.Buffers, input.OneIn(4), out ushort head))
        {
            return false;
        }

        _given[(queueIndex, head)] = [.. given];
        return true;
    }

    // Runs of pages. Now and then the first is one that the device may only read, or a run begins within a page, whose rest is not given.
    private bool TryReport(ref InputReader input, FuzzQueue queue)
    {
        Span<FuzzBuffer> buffers = stackalloc FuzzBuffer[5];
        List<ulong> given = [];
        int count = 0;
        if (input.OneIn(8) && Guest.Room > LeastRoom && Guest.TryAllocate(PageBytes, PageBytes, ByteUse.Read, out ulong readable))
        {
            buffers[count++] = new FuzzBuffer(readable, PageBytes, false);
        }

        for (int runs = 1 + input.Below(4); runs > 0; runs--)
        {
            uint skipped = input.OneIn(6) && Guest.Room > LeastRoom ? 1 + (uint)input.Below((int)PageBytes - 1) : 0;
            if (skipped != 0)
            {
                if (!Guest.TryAllocate(skipped, PageBytes, ByteUse.None, out _) || !Guest.TryAllocate(PageBytes - skipped, 1, ByteUse.Write, out ulong rest))
                {
                    return false;
                }

                buffers[count++] = new FuzzBuffer(rest, PageBytes - skipped, true);
                continue;
            }

            uint pages = input.OneIn(4) ? 2u : 1;
            if (!TryGive(ref input, pages, out ulong start))
            {
                return false;
            }

            for (ulong page = start; page < start + (pages * PageBytes); page += PageBytes)
            {
                given.Add(page);
            }

            buffers[count++] = new FuzzBuffer(start, pages * PageBytes, true);
        }

        if (!queue.TryAdd(buffers[..count], input.OneIn(4), out ushort head))
        {
            return false;
        }

        _given[(BalloonDevice.ReportingQueue, head)] = [.. given];
        return true;
    }

    // Full pages that the device may change: fresh ones while there are some, then those of before.
    private bool TryGive(ref InputReader input, uint pages, out ulong start)
    {
        if (Guest.Room > LeastRoom && Guest.TryAllocate(pages * PageBytes, PageBytes, ByteUse.Write, out start))
        {
            for (uint page = 0; page < pages; page++)
            {
                _pages.Add(start + (page * PageBytes));
            }
        }
        else if (pages == 1 && _pages.Count != 0)
        {
            start = _pages[input.Below(_pages.Count)];
        }
        else
        {
            start = 0;
            return false;
        }

        _page.AsSpan().Fill(Full);
        for (uint page = 0; page < pages; page++)
        {
            Guest.Write(start + (page * PageBytes), _page);
        }

        return true;
    }
}
