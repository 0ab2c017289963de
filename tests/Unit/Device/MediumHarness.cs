using System.Buffers.Binary;
using System.Collections.Concurrent;
using Sandbox.Device.Block;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;

namespace Sandbox.Unit.Tests.Device;

/// <summary>A block device with threads on a file past the page cache, so that every read and write goes to a thread, and the driver's queue.</summary>
internal sealed class MediumHarness : IDisposable
{
    internal const int DiskBytes = 4 << 20;
    internal const uint In = 0;
    internal const uint Out = 1;
    internal const uint Flush = 4;

    // Threads live as long as the process: the next harness takes those of the last.
    private static readonly ConcurrentStack<BlockWorkers> Idle = new();

    internal MediumHarness(bool direct = true)
    {
        Content = new byte[DiskBytes];
        new Random(7).NextBytes(Content);
        Medium = new MediumFile(Content, direct);
        Workers = Idle.TryPop(out BlockWorkers? idle) ? idle : new BlockWorkers(4);
        Device = new BlockDevice(Medium.File.Number, DiskBytes, readOnly: false, "medium", direct: direct, workers: Workers);
        Device.FeaturesAgreed(Device.OfferedFeatures);
        Driver = new DriverQueue(Guest, 256);
        Configure(Guest.Memory, 0);
    }

    internal byte[] Content { get; }

    internal TestGuest Guest { get; } = new();

    internal MediumFile Medium { get; }

    internal BlockWorkers Workers { get; }

    internal BlockDevice Device { get; }

    internal DriverQueue Driver { get; }

    internal SplitVirtqueue Ring => Device.Queues[0].Ring;

    internal void Configure(GuestMemory memory, ushort position) =>
        Assert.Equal(VirtqueueFault.None, Ring.Configure(memory, Driver.Layout, Device.OfferedFeatures, position));

    /// <summary>The head, and where the status byte will be.</summary>
    internal (ushort Head, GuestAddress Status) Offer(uint type, ulong sector, params ReadOnlySpan<DriverBuffer> data)
    {
        byte[] header = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(header, type);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), sector);
        GuestAddress status = Guest.Place([0xEE]);
        ushort head = Driver.Add([new DriverBuffer(Guest.Place(header), 16, false), .. data, new DriverBuffer(status, 1, true)]);
        return (head, status);
    }

    /// <summary>Serves as the loop does until so many have been answered.</summary>
    internal void ServeUntil(int usedIndex)
    {
        long deadline = Environment.TickCount64 + 20_000;
        while (Driver.UsedIndex != usedIndex)
        {
            if (!Device.Work() && Driver.UsedIndex != usedIndex)
            {
                Assert.Equal(1, Poll.Wait(Workers.ToldFd, PollEvents.Readable, 20_000, out _));
                Assert.True(Environment.TickCount64 < deadline, $"{Driver.UsedIndex} of {usedIndex} answered");
            }
        }
    }

    public void Dispose()
    {
        Device.QueueStopping(0); // nothing is in work after it
        Ring.Stop();
        Idle.Push(Workers);
        Guest.Dispose();
        Medium.Dispose();
    }
}
