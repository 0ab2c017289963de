using System.Buffers.Binary;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.VhostUser;
using Sandbox.Virtio;
using Sandbox.Virtio.Vsock;

namespace Sandbox.Unit.Tests.Device;

/// <summary>The real process, driven by a frontend that speaks message by message.</summary>
public sealed class DeviceProcessTests : IDisposable
{
    private const int TimeoutMilliseconds = 5000;

    private readonly TestGuest _guest = new();
    private readonly FdHandle _disk = MemFd.Create("disk");
    private readonly FdHandle _kick = EventFd.Create();
    private readonly FdHandle _call = EventFd.Create();
    private readonly DeviceProcess _process;
    private readonly DriverQueue _driver;

    public DeviceProcessTests()
    {
        Assert.Equal(65536, FdIo.Write(_disk.Number, new byte[65536]));
        _process = DeviceProcess.Start(new DeviceLaunchSpec { Kind = DeviceKind.Block, CapacityBytes = 65536, SerialId = "disk0" }, _disk);
        _driver = new DriverQueue(_guest, 16);
        Assert.Equal(LaunchMessageType.Ready, _process.ReceiveControl(out _));
    }

    public void Dispose()
    {
        _process.Dispose();
        _call.Dispose();
        _kick.Dispose();
        _disk.Dispose();
        _guest.Dispose();
    }

    [Theory]
    [InlineData(DeviceKind.Block)]
    [InlineData(DeviceKind.Entropy)]
    [InlineData(DeviceKind.Balloon)]
    [InlineData(DeviceKind.Vsock)]
    [InlineData(DeviceKind.Network)]
    public void Process_ThatIsReady_IsUnderItsFilter(DeviceKind kind)
    {
        (FdHandle agent, FdHandle peer) = UnixSocket.CreatePair();
        using (agent)
        using (peer)
        using (DeviceProcess process = kind switch
        {
            DeviceKind.Block => DeviceProcess.Start(new DeviceLaunchSpec { Kind = kind, CapacityBytes = 65536, SerialId = "disk0" }, _disk),
            DeviceKind.Vsock => DeviceProcess.Start(new DeviceLaunchSpec { Kind = kind, GuestCid = 3, VsockPorts = [1024] }, agent),
            DeviceKind.Network => DeviceProcess.Start(new DeviceLaunchSpec { Kind = kind, MacAddress = NetHarness.Own, Mtu = 1500 }, agent),
            _ => DeviceProcess.Start(new DeviceLaunchSpec { Kind = kind }),
        })
        {
            Assert.Equal(LaunchMessageType.Ready, process.ReceiveControl(out _));
            foreach (string thread in Directory.GetDirectories($"/proc/{process.Pid}/task"))
            {
                string status = File.ReadAllText($"{thread}/status");
                Assert.Contains("\nSeccomp:\t2\n", status, StringComparison.Ordinal);
                Assert.Contains("\nNoNewPrivs:\t1\n", status, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Block_OverVhostUser_WritesReadsAndResumes()
    {
        ulong features = _process.Frontend.Negotiate(_guest);
        Assert.NotEqual(0UL, features & VirtioFeatureBits.RingEventIndex);
        Assert.Equal(128UL, BinaryPrimitives.ReadUInt64LittleEndian(_process.Frontend.GetConfig(60)));
        _process.Frontend.StartRing(0, _driver, _kick.Number, _call.Number);
        byte[] content = new byte[4096];
        new Random(4).NextBytes(content);
        GuestAddress source = _guest.Place(content);
        Assert.Equal(0, Request(1, 8, new DriverBuffer(source, 4096, false)));
        byte[] onDisk = new byte[4096];
        Assert.Equal(4096, FdIo.ReadAt(_disk.Number, onDisk, 8 * 512));
        Assert.Equal(content, onDisk);

        // The ring is taken away and given back: it goes on where it stood, in memory that was mapped anew.
        uint position = _process.Frontend.StopRing(0);
        Assert.Equal(1u, position);
        _process.Frontend.SendMemory(_guest);
        _process.Frontend.StartRing(0, _driver, _kick.Number, _call.Number, (ushort)position);
        GuestAddress target = _guest.Allocate(4096);
        Assert.Equal(0, Request(0, 8, new DriverBuffer(target, 4096, true)));
        Assert.Equal(content, _guest.Read(target, 4096));
        _process.Frontend.SendMemory(_guest); // and while it runs
        Assert.Equal(0, Request(0, 0, new DriverBuffer(target, 512, true)));
        Assert.Equal(new byte[512], _guest.Read(target, 512));
    }

    [Fact]
    public void Block_RecordThatIsNone_TellsAndDoesNotSpinOnTheKick()
    {
        using FdHandle inflight = MemFd.CreateSealed("inflight", LaunchLimits.InflightBytes);
        byte[] garbage = new byte[LaunchLimits.InflightBytes];
        Array.Fill(garbage, (byte)0xA5);
        Assert.Equal(0, FdIo.WriteAll(inflight.Number, garbage));
        using FdHandle error = EventFd.Create();
        using DeviceProcess process = DeviceProcess.StartRecorded(new DeviceLaunchSpec { Kind = DeviceKind.Block, CapacityBytes = 65536, SerialId = "disk0" }, inflight, _disk);
        _ = process.Frontend.Negotiate(_guest);
        byte[] area = new byte[InflightArea.PayloadBytes];
        VhostUserCodec.WriteInflight(area, new InflightArea(InflightArea.RecordBytes((ushort)_driver.Size), 0, 1, (ushort)_driver.Size));
        process.Frontend.Send(FrontendRequest.SetInflightFd, area, inflight.Number);
        process.Frontend.SendRingFd(FrontendRequest.SetVringErr, 0, error.Number);
        Assert.Equal(0, EventFd.Signal(_kick.Number)); // there before the ring, and stays
        process.Frontend.StartRing(0, _driver, _kick.Number, _call.Number);
        Assert.Equal(1, Poll.Wait(error.Number, PollEvents.Readable, 20_000, out _));
        _ = process.Frontend.GetConfig(60); // it has been through its loop once more
        Assert.True(SpinWait.SpinUntil(() => Enumerable.Range(0, 50).All(_ => Sleeps(process.Pid)), 20_000), "it never sleeps for long");
    }

    // proc_pid_stat(5): the third field, behind the name.
    private static bool Sleeps(int pid)
    {
        string stat = File.ReadAllText($"/proc/{pid}/stat");
        Thread.Sleep(1);
        return stat[stat.LastIndexOf(')') + 2] == 'S';
    }

    [Fact]
    public void Block_WithARate_HoldsItAndGoesOnInASuccessor()
    {
        const int rate = 1 << 20;
        const int burst = 256 * 1024;
        const int requests = 40; // of 64 KiB: with the burst and the successor's, two seconds at that rate
        using FdHandle inflight = MemFd.CreateSealed("inflight", LaunchLimits.InflightBytes);
        DeviceLaunchSpec spec = new() { Kind = DeviceKind.Block, CapacityBytes = 65536, SerialId = "disk0", BytesPerSecond = rate };
        DriverQueue driver = new(_guest, 256);
        byte[] header = new byte[16];
        GuestAddress status = _guest.Allocate(requests);
        GuestAddress data = _guest.Allocate(65536);
        DriverBuffer headerBuffer = new(_guest.Place(header), 16, false);
        for (int index = 0; index < requests; index++)
        {
            _guest.Write(new GuestAddress(status.Value + (uint)index), [0xEE]);
            driver.Add(headerBuffer, new DriverBuffer(data, 65536, true), new DriverBuffer(new GuestAddress(status.Value + (uint)index), 1, true));
        }

        uint head = 0;
        int done = 0;
        for (int life = 0; life < 2; life++)
        {
            using DeviceProcess process = DeviceProcess.StartRecorded(spec, inflight, _disk);
            Assert.Equal(LaunchMessageType.Ready, process.ReceiveControl(out _));
            process.Frontend.Negotiate(_guest);
            long began = MonotonicClock.Nanoseconds;
            int before = driver.UsedIndex; // its predecessor did some between the last look and its death
            process.Frontend.StartRing(0, driver, _kick.Number, _call.Number, driver.UsedIndex);
            EventFd.Signal(_kick.Number);
            while (done < (life == 0 ? requests / 2 : requests))
            {
                Assert.False(process.HasEnded);
                if (driver.TryTakeUsed(out head, out _))
                {
                    done++;
                    // A ceiling, not a time: what is there by now is no more than what the rate allowed until now.
                    Assert.InRange((done - before) * 65536L, long.MinValue, burst + 65536 + ((MonotonicClock.Nanoseconds - began) * rate / 1_000_000_000));
                }
                else
                {
                    Thread.Sleep(1);
                    Assert.True(MonotonicClock.Nanoseconds - began < 60_000_000_000, "the disk never went on");
                }
            }

            process.Kill(); // with requests in the ring that wait for their turn
        }

        Assert.Equal(new byte[requests], _guest.Read(status, requests));
    }

    [Fact]
    public void DriverBreaksTheRing_ProcessLivesAndTells()
    {
        using FdHandle error = EventFd.Create();
        _process.Frontend.Negotiate(_guest);
        _process.Frontend.SendRingFd(FrontendRequest.SetVringErr, 0, error.Number);
        _process.Frontend.StartRing(0, _driver, _kick.Number, _call.Number);
        _driver.RawAvailableIndex(0x4000);
        EventFd.Signal(_kick.Number);
        Assert.True(WaitFor(error));
        Assert.Equal(0u, _process.Frontend.StopRing(0));
        _driver.RawAvailableIndex(0);
        _process.Frontend.StartRing(0, _driver, _kick.Number, _call.Number);
        Assert.Equal(0, Request(0, 0, new DriverBuffer(_guest.Allocate(512), 512, true)));
    }

    [Fact]
    public void Host_RefusesACall_ProcessSaysWhichUnderItsFilter()
    {
        _process.Frontend.Negotiate(_guest);
        _process.Frontend.StartRing(0, _driver, _disk.Number, _call.Number); // a kick that epoll cannot watch: a regular file
        Ended ended = ReceiveEnded();
        Assert.Equal((EndReason.HostFailure, (ulong)Errno.EPERM, "epoll_ctl add"), (ended.Reason, ended.Detail, ended.Text));
        Assert.Equal(new ExitStatus((int)EndReason.HostFailure, 0), _process.WaitForExit());
    }

    [Fact]
    public void Launcher_ClosesTheControlSocket_ProcessEnds()
    {
        _process.Control.Dispose();
        Assert.Equal((int)EndReason.LauncherGone, _process.WaitForExit().Code);
    }

    [Fact]
    public void Frontend_ClosesItsSocket_ProcessEnds()
    {
        _process.Frontend.Dispose();
        Assert.Equal(EndReason.GuestShutdown, ReceiveEnded().Reason);
        Assert.Equal(0, _process.WaitForExit().Code);
    }

    [Fact]
    public void Frontend_BreaksTheProtocol_ProcessSaysHowAndEnds()
    {
        _process.Frontend.SendRingState(FrontendRequest.SetVringEnable, 0, 1); // before an owner, before features
        Ended ended = ReceiveEnded();
        Assert.Equal((EndReason.FrontendFault, (ulong)VhostUserFault.RequestOutOfOrder), (ended.Reason, ended.Detail));
        Assert.Contains("SetVringEnable", ended.Text, StringComparison.Ordinal);
        Assert.Equal((int)EndReason.FrontendFault, _process.WaitForExit().Code);
    }

    [Fact]
    public void Museum31_MoreFdsThanTheMessageCarries_EndTheSession()
    {
        byte[] message = new byte[MessageHeader.SizeBytes];
        VhostUserCodec.WriteHeader(message, new MessageHeader(FrontendRequest.GetFeatures, MessageFlags.Version1, 0));
        _process.Frontend.SendRaw(message, _kick.Number, _call.Number);
        Assert.Equal((ulong)VhostUserFault.BadFdCount, ReceiveEnded().Detail);
    }

    [Fact]
    public void Museum31_RegionBeyondItsFile_IsRefusedAndTheProcessLives()
    {
        _process.Frontend.Send(FrontendRequest.SetOwner, []);
        _process.Frontend.SendValue(FrontendRequest.SetProtocolFeatures, (ulong)ProtocolFeatures.Spoken);
        MemoryTable table = default;
        Assert.True(table.TryAdd(new MemoryTableRegion(0, 1UL << 30, new UserAddress(VhostUserFrontend.UserBase), 0)));
        byte[] payload = new byte[VhostUserLimits.MaxPayloadBytes];
        int length = VhostUserCodec.WriteMemoryTable(payload, table);
        byte[] message = new byte[MessageHeader.SizeBytes + length];
        VhostUserCodec.WriteHeader(message, new MessageHeader(FrontendRequest.SetMemTable, MessageFlags.Version1 | MessageFlags.NeedReply, (uint)length));
        payload.AsSpan(0, length).CopyTo(message.AsSpan(MessageHeader.SizeBytes));
        _process.Frontend.SendRaw(message, _guest.File.Number);
        byte[] answer = new byte[MessageHeader.SizeBytes + sizeof(ulong)];
        Assert.Equal(answer.Length, FdIo.ReadFull(_process.Frontend.Socket.Number, answer));
        Assert.Equal(1UL, BinaryPrimitives.ReadUInt64LittleEndian(answer.AsSpan(MessageHeader.SizeBytes)));
        Assert.NotEqual(0UL, _process.Frontend.AskValue(FrontendRequest.GetFeatures));
    }

    [Fact]
    public void Museum31_SameMessagesAgainAndAgain_KeepTheSameFds()
    {
        _process.Frontend.Negotiate(_guest);
        _process.Frontend.StartRing(0, _driver, _kick.Number, _call.Number);
        Assert.Equal(0u, _process.Frontend.StopRing(0));
        int before = Directory.GetFiles($"/proc/{_process.Pid}/fd").Length;
        for (int round = 0; round < 200; round++)
        {
            _process.Frontend.SendMemory(_guest);
            _process.Frontend.SendRingFd(FrontendRequest.SetVringErr, 0, _call.Number);
            _process.Frontend.StartRing(0, _driver, _kick.Number, _call.Number);
            Assert.Equal(0u, _process.Frontend.StopRing(0));
        }

        Assert.Equal(before, Directory.GetFiles($"/proc/{_process.Pid}/fd").Length);
    }

    [Fact]
    public void Vsock_OverVhostUser_BridgesToTheInheritedSocket()
    {
        (FdHandle launcher, FdHandle bridged) = UnixSocket.CreatePair();
        using (launcher)
        using (bridged)
        using (DeviceProcess vsock = DeviceProcess.Start(
            new DeviceLaunchSpec { Kind = DeviceKind.Vsock, GuestCid = 3, VsockPorts = [1024] }, bridged))
        {
            Assert.Equal(LaunchMessageType.Ready, vsock.ReceiveControl(out _));
            vsock.Frontend.Negotiate(_guest, VirtioFeatureBits.RingEventIndex);
            Assert.Equal(3UL, BinaryPrimitives.ReadUInt64LittleEndian(vsock.Frontend.GetConfig(8)));
            DriverQueue receive = new(_guest, 16);
            GuestAddress room = _guest.Allocate(4096);
            receive.Add(new DriverBuffer(room, 4096, true));
            DriverQueue transmit = new(_guest, 16);
            using FdHandle receiveKick = EventFd.Create();
            vsock.Frontend.StartRing(0, receive, receiveKick.Number, _call.Number);
            vsock.Frontend.StartRing(1, transmit, _kick.Number, _call.Number);
            byte[] packet = new byte[VsockPacketHeader.SizeBytes + 2];
            VsockPacketHeader request = new(3, 2, 5000, 1024, 0, VsockPacketHeader.StreamType, VsockOperation.Request, VsockShutdown.None, 4096, 0);
            request.Encode(packet);
            transmit.Add(new DriverBuffer(_guest.Place(packet), VsockPacketHeader.SizeBytes, false));
            (request with { Operation = VsockOperation.Data, LengthBytes = 2 }).Encode(packet);
            packet[^1] = (byte)'!';
            transmit.Add(new DriverBuffer(_guest.Place(packet), (uint)packet.Length, false));
            EventFd.Signal(_kick.Number);
            byte[] got = new byte[2];
            Assert.Equal(2, FdIo.ReadFull(launcher.Number, got));
            Assert.Equal((byte)'!', got[1]);
            Assert.True(WaitFor(_call));
            Assert.True(receive.TryTakeUsed(out _, out uint written));
            Assert.Equal((uint)VsockPacketHeader.SizeBytes, written);
            Assert.Equal(VsockOperation.Response, VsockPacketHeader.Decode(_guest.Read(room, VsockPacketHeader.SizeBytes)).Operation);
        }
    }

    [Fact]
    public void Messages_ByteByByte_AreTheSame()
    {
        byte[] message = new byte[MessageHeader.SizeBytes];
        VhostUserCodec.WriteHeader(message, new MessageHeader(FrontendRequest.GetQueueNum, MessageFlags.Version1, 0));
        _process.Frontend.Send(FrontendRequest.SetOwner, []);
        _process.Frontend.SendValue(FrontendRequest.SetProtocolFeatures, (ulong)ProtocolFeatures.Spoken);
        for (int index = 0; index < message.Length; index++)
        {
            _process.Frontend.SendRaw(message.AsSpan(index, 1));
            Thread.Sleep(1);
        }

        byte[] answer = new byte[MessageHeader.SizeBytes + sizeof(ulong)];
        Assert.Equal(answer.Length, FdIo.ReadFull(_process.Frontend.Socket.Number, answer));
        Assert.Equal(1UL, BinaryPrimitives.ReadUInt64LittleEndian(answer.AsSpan(MessageHeader.SizeBytes)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Spec_ThatIsNone_IsRefused(int kind)
    {
        byte[] frame = new byte[LaunchFrame.HeaderBytes];
        frame[4] = (byte)LaunchFrame.Version;
        frame[6] = (byte)(kind == 0 ? LaunchMessageType.VmmSpec : LaunchMessageType.DeviceSpec); // another message; one without content
        using DeviceProcess process = DeviceProcess.Start(frame);
        Assert.Equal((int)EndReason.SpecRejected, process.WaitForExit().Code);
    }

    private Ended ReceiveEnded()
    {
        Assert.Equal(LaunchMessageType.Ended, _process.ReceiveControl(out byte[] content));
        Assert.Equal(LaunchFault.None, Ended.Decode(content, out Ended ended));
        return ended;
    }

    private int Request(uint type, ulong sector, DriverBuffer data)
    {
        byte[] header = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(header, type);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), sector);
        GuestAddress status = _guest.Place([0xEE]);
        _driver.WantCallAt(_driver.UsedIndex);
        _driver.Add(new DriverBuffer(_guest.Place(header), 16, false), data, new DriverBuffer(status, 1, true));
        EventFd.Signal(_kick.Number);
        do
        {
            // A ring that is taken over calls once more than it must: its predecessor may have died before it called.
            Assert.True(WaitFor(_call), "no call came");
            EventFd.TryConsume(_call.Number);
        }
        while (!_driver.TryTakeUsed(out _, out _));
        return _guest.Read(status, 1)[0];
    }

    private static bool WaitFor(FdHandle eventFd) =>
        Poll.Wait(eventFd.Number, PollEvents.Readable, TimeoutMilliseconds, out PollEvents found) == 1 && (found & PollEvents.Readable) != 0;
}
