using System.Buffers.Binary;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;
using Sandbox.Vmm.VirtioMmio;

namespace Sandbox.Unit.Tests.VirtioMmio;

/// <summary>
/// Registers, vhost-user frontend and a real backend process, with a driver in the place of the guest and eventfds in the place of KVM: once
/// with our own device process, once with a published one that was written without knowledge of this project.
/// </summary>
public sealed class BlockBackendTests : IDisposable
{
    private const int WaitMilliseconds = 20_000;
    private const ulong Registers = 0xD000_0000;
    private const uint Gsi = 5;

    private readonly string _folder = Directory.CreateTempSubdirectory("blk").FullName;
    private readonly TestGuest _guest = new();
    private readonly WiringStub _wiring = new();
    private readonly List<string> _losses = [];

    private string Image => Path.Combine(_folder, "disk.img");

    public void Dispose()
    {
        _guest.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(BackendKind.Ours)]
    [InlineData(BackendKind.Published)]
    public void Guest_ReadsWritesResetsAndGoesOn(BackendKind kind)
    {
        byte[] content = new byte[1 << 20];
        new Random(3).NextBytes(content);
        File.WriteAllBytes(Image, content);
        using BackendProcess backend = BackendProcess.Start(kind, Image);
        using VhostUserDevice device = Attach(backend);
        Assert.True(device.TryNegotiate(), string.Join("; ", _losses));
        MmioDriver registers = new(new VirtioMmioTransport(device));
        Assert.Equal(2048u, registers.Read(MmioRegister.Config)); // capacity in sectors

        for (int round = 0; round < 3; round++)
        {
            DriverQueue queue = Start(registers);
            GuestAddress target = _guest.Allocate(8192);
            Assert.Equal(0, Request(queue, 0, 16, new DriverBuffer(target, 8192, DeviceWrites: true)));
            Assert.Equal(content[8192..16384], _guest.Read(target, 8192));

            byte[] written = new byte[4096];
            new Random(round).NextBytes(written);
            Assert.Equal(0, Request(queue, 1, 1024, new DriverBuffer(_guest.Place(written), 4096, DeviceWrites: false)));
            Assert.Equal(0, Request(queue, 4, 0)); // flush
            Assert.Equal(written, File.ReadAllBytes(Image)[(1024 * 512)..((1024 * 512) + 4096)]);

            registers.SetStatus(DeviceStatus.None);
            Assert.Empty(_wiring.IoEventFds);
        }

        Assert.Empty(_losses);
    }

    [Theory]
    [InlineData(BackendKind.Ours)]
    [InlineData(BackendKind.Published)]
    public void Backend_Killed_IsLostAtTheNextRequestAndTheDeviceNeedsAReset(BackendKind kind)
    {
        File.WriteAllBytes(Image, new byte[1 << 20]);
        using BackendProcess backend = BackendProcess.Start(kind, Image);
        using VhostUserDevice device = Attach(backend);
        Assert.True(device.TryNegotiate(), string.Join("; ", _losses));
        MmioDriver registers = new(new VirtioMmioTransport(device));
        _ = Start(registers);

        backend.Kill();
        registers.SetStatus(DeviceStatus.None); // a reset is taken even so
        Assert.Equal(0u, registers.Status);
        Assert.Single(_losses);

        registers.Negotiate();
        registers.DriverOk();
        Assert.NotEqual(0u, registers.Status & (uint)DeviceStatus.NeedsReset);
        Assert.Single(_losses);
    }

    private VhostUserDevice Attach(BackendProcess backend) => new(
        DeviceKind.Block, 1, backend.Socket, new DevicePlace(new GuestAddress(Registers), Gsi), _wiring, _guest.Memory, _guest.File.Number, _losses.Add);

    private DriverQueue Start(MmioDriver registers)
    {
        DriverQueue queue = new(_guest, 16);
        registers.Negotiate();
        registers.Write(MmioRegister.QueueSel, 0);
        registers.Write(MmioRegister.QueueNum, queue.Size);
        WriteAddress(registers, MmioRegister.QueueDescLow, queue.Layout.DescriptorTable);
        WriteAddress(registers, MmioRegister.QueueDriverLow, queue.Layout.AvailableRing);
        WriteAddress(registers, MmioRegister.QueueDeviceLow, queue.Layout.UsedRing);
        registers.Write(MmioRegister.QueueReady, 1);
        registers.DriverOk();
        Assert.Equal(0x0Fu, registers.Status);
        return queue;
    }

    private static void WriteAddress(MmioDriver registers, MmioRegister low, GuestAddress address)
    {
        registers.Write(low, (uint)(address.Value & uint.MaxValue));
        registers.Write(low + 4, (uint)(address.Value >> 32));
    }

    // virtio 1.2, 5.2.6: header, data, status byte. The kick and the call are the fds that KVM would hold.
    private int Request(DriverQueue queue, uint type, ulong sector, params ReadOnlySpan<DriverBuffer> data)
    {
        byte[] header = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(header, type);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), sector);
        GuestAddress status = _guest.Place([0xFF]);
        _ = queue.Add([new DriverBuffer(_guest.Place(header), 16, DeviceWrites: false), .. data, new DriverBuffer(status, 1, DeviceWrites: true)]);
        Assert.Equal(0, EventFd.Signal(_wiring.IoEventFds[(Registers + 0x50, 0)]));

        using Epoll epoll = new();
        epoll.Add(_wiring.IrqFds[Gsi], EpollEvents.Readable, 0);
        Span<EpollReady> ready = stackalloc EpollReady[1];
        while (!queue.TryTakeUsed(out _, out _))
        {
            Assert.True(epoll.Wait(ready, WaitMilliseconds) > 0, "no interrupt");
            _ = EventFd.TryConsume(_wiring.IrqFds[Gsi]);
        }

        return _guest.Read(status, 1)[0];
    }
}
