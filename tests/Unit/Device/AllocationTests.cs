using Sandbox.Device.Balloon;
using Sandbox.Device.Vsock;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;
using Sandbox.Virtio.Net;
using Sandbox.Virtio.Vsock;

namespace Sandbox.Unit.Tests.Device;

/// <summary>The data path allocates nothing. These run while no other test does: a collection that another one starts is counted on this thread.</summary>
[Collection(AloneGroup.Name)]
public sealed class AllocationTests
{
    [Fact]
    public void BlockRequests_AMillion_AllocateNothing()
    {
        using BlockHarness block = new();
        DriverBuffer[] write = [block.Header(1, 1), new DriverBuffer(block.Guest.Allocate(512), 512, false), block.StatusBuffer];
        DriverBuffer[] read = [block.Header(0, 1), new DriverBuffer(block.Guest.Allocate(512), 512, true), block.StatusBuffer];
        block.Run(write);
        block.Run(read);
        int failed = 0;
        Assert.Equal(0, Allocations.Least(() =>
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int round = 0; round < 500_000; round++)
            {
                block.Driver.Add(write);
                block.Driver.Add(read);
                block.Device.Work();
                failed += block.Driver.TryTakeUsed(out _, out uint first) && first == 1 && block.Driver.TryTakeUsed(out _, out uint second) && second == 513 ? 0 : 1;
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }));
        Assert.Equal(0, failed);
    }

    [Fact]
    public void BlockRequests_ThatWaitForAMedium_AllocateNothing()
    {
        using MediumHarness disk = new();
        GuestAddress data = disk.Guest.Allocate(4096, 4096);
        DriverBuffer status = new(disk.Guest.Allocate(1), 1, true);
        DriverBuffer[] read = [new(disk.Guest.Place(new byte[16]), 16, false), new(data, 4096, true), status];
        DriverBuffer[] write = [new(disk.Guest.Place([1, .. new byte[15]]), 16, false), new(data, 4096, false), status];
        DriverBuffer[] flush = [new(disk.Guest.Place([4, .. new byte[15]]), 16, false), status];
        int wrong = 0;
        const int requests = 4000;
        // Of every thread, the workers too; those of the test host are not quiet either, so less than a byte a request is none.
        Assert.InRange(Allocations.Least(() =>
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int round = 0; round < requests / 4; round++)
            {
                disk.Driver.Add(read);
                disk.Driver.Add(write);
                disk.Driver.Add(flush);
                disk.Driver.Add(read);
                while (disk.Device.Work() || disk.Ring.InFlightCount != 0)
                {
                }

                while (disk.Driver.TryTakeUsed(out _, out uint written))
                {
                    wrong += written is 1 or 4097 ? 0 : 1;
                }
            }

            return GC.GetTotalAllocatedBytes(precise: true) - before;
        }), 0, requests - 1);
        Assert.Equal(0, wrong);
    }

    [Fact]
    public void BalloonRequests_OfBothKinds_AllocateNothing()
    {
        using TestGuest guest = new();
        BalloonDevice device = new();
        DriverQueue inflate = new(guest, 16);
        DriverQueue reporting = new(guest, 16);
        Assert.Equal(VirtqueueFault.None, device.Queues[BalloonDevice.InflateQueue].Ring.Configure(guest.Memory, inflate.Layout, device.OfferedFeatures, 0));
        Assert.Equal(VirtqueueFault.None, device.Queues[BalloonDevice.ReportingQueue].Ring.Configure(guest.Memory, reporting.Layout, device.OfferedFeatures, 0));
        GuestAddress page = guest.Allocate(4096, 4096);
        DriverBuffer number = new(guest.Place([(byte)(page.Value / 4096), 0, 0, 0]), 4, false);
        DriverBuffer report = new(page, 4096, true);
        int answered = 0;
        Assert.Equal(0, Allocations.Least(() =>
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            answered = 0;
            for (int round = 0; round < 10_000; round++)
            {
                inflate.Add(number);
                reporting.Add(report);
                _ = device.Work();
                answered += inflate.TryTakeUsed(out _, out _) && reporting.TryTakeUsed(out _, out _) ? 1 : 0;
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }));
        Assert.Equal(10_000, answered);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void NetFrames_InBothDirections_AllocateNothing(int pairs)
    {
        using NetHarness net = new(pairs: pairs);
        DriverBuffer[] command = [new(net.Guest.Place([4, 0, 3, 0]), 4, false), new(net.Guest.Place([0xEE]), 1, true)];
        byte[] frame = NetHarness.Frame();
        GuestAddress sent = net.Guest.Place([.. new byte[NetHeader.SizeBytes], .. frame]);
        GuestAddress room = net.Guest.Allocate(1600);
        byte[] bytes = [0, 0, 0, 60, .. frame];
        byte[] sink = new byte[bytes.Length];
        Assert.Equal(0, Allocations.Least(() =>
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int round = 0; round < 1000; round++)
            {
                net.Transmit.Add(new DriverBuffer(sent, (uint)(NetHeader.SizeBytes + frame.Length), false));
                net.Receive.Add(new DriverBuffer(room, 1600, true));
                if (pairs > 1)
                {
                    net.Control.Add(command);
                }

                _ = UnixSocket.Send(net.Network.Number, bytes, []);
                _ = net.Device.Work();
                _ = FdIo.Read(net.Network.Number, sink);
                _ = net.Transmit.TryTakeUsed(out _, out _);
                _ = net.Receive.TryTakeUsed(out _, out _);
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }));
        Assert.Equal(bytes, sink);
    }

    [Fact]
    public void VsockData_ManyThousandPackets_AllocatesNothing()
    {
        using VsockHarness vsock = new();
        vsock.Connect();
        byte[] sink = new byte[4096];
        byte[] packet = new byte[VsockPacketHeader.SizeBytes + 512];
        VsockHarness.Header(VsockOperation.Data, 512).Encode(packet);
        DriverBuffer buffer = new(vsock.Guest.Place(packet), (uint)packet.Length, false);
        Assert.Equal(0, Allocations.Least(() =>
        {
            long allocated = 0;
            // Three runs must find room: the guest gets a new buffer for each word about credit.
            for (int round = 0; round < 30_000; round++)
            {
                vsock.Transmit.Add(buffer);
                long before = GC.GetAllocatedBytesForCurrentThread();
                vsock.Device.Work();
                allocated += round < 10 ? 0 : GC.GetAllocatedBytesForCurrentThread() - before;
                Assert.Equal(512, FdIo.Read(vsock.Launcher.Number, sink));
                while (vsock.TryTake(out _, out _))
                {
                    vsock.GiveBuffers(1);
                }
            }

            return allocated;
        }));
    }
}
