using System.Buffers.Binary;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Unit.Tests.Device;
using Sandbox.Virtio;
using Sandbox.Virtio.Net;
using Sandbox.Vmm.VirtioMmio;

namespace Sandbox.Unit.Tests.VirtioMmio;

/// <summary>A network device with two pairs of queues whose real process is killed: its successor uses the pairs that the driver chose, and is not told again.</summary>
public sealed class NetReplacementTests : IDisposable
{
    private const int Pairs = 2;
    private const int FlowCount = 32;
    private const uint BufferBytes = 256;
    private const ulong Registers = 0xD000_0000;

    private readonly TestGuest _guest = new();
    private readonly WiringStub _wiring = new();
    private readonly List<string> _losses = [];
    private readonly FdHandle _kept = MemFd.CreateSealed("kept", LaunchLimits.InflightBytes);
    private readonly FdHandle _backing;
    private readonly FdHandle _network;
    private readonly FdHandle _firstSocket;
    private readonly VhostUserDevice _device;
    private readonly MmioDriver _registers;
    private DriverQueue[] _queues = [];
    private DeviceProcess _process;
    private GuestAddress _answer;

    public NetReplacementTests()
    {
        (_backing, _network) = UnixSocket.CreatePair();
        _process = StartProcess();
        _firstSocket = FdIo.Duplicate(_process.Frontend.Socket.Number);
        _device = new VhostUserDevice(
            DeviceKind.Network, NetworkQueues.Of(Pairs), _firstSocket.Number, new DevicePlace(new GuestAddress(Registers), 5), _wiring, _guest.Memory,
            _guest.File.Number, _losses.Add, replaceable: true);
        Assert.True(_device.TryNegotiate(), string.Join("; ", _losses));
        _registers = new MmioDriver(new VirtioMmioTransport(_device));
        StartDriver();
    }

    public void Dispose()
    {
        _device.Dispose();
        _process.Dispose();
        _firstSocket.Dispose();
        _network.Dispose();
        _backing.Dispose();
        _kept.Dispose();
        _guest.Dispose();
    }

    [Fact]
    public void Pairs_ChosenBeforeADeath_AreTheSuccessors()
    {
        Assert.Equal(0, Spread()[1]);
        AskForPairs();
        Assert.Equal(NetControl.Ok, Answer());
        Assert.All(Spread(), static count => Assert.InRange(count, 1, FlowCount - 1));
        for (int kill = 0; kill < 3; kill++)
        {
            Kill();
            Revive();
            Assert.All(Spread(), static count => Assert.InRange(count, 1, FlowCount - 1));
        }

        Assert.Empty(_losses);
    }

    [Fact]
    public void Command_ThatADeathLeftUnanswered_IsTheSuccessorsToAnswer()
    {
        Kill();
        AskForPairs();
        Revive();
        Assert.Equal(NetControl.Ok, Answer());
        Assert.All(Spread(), static count => Assert.InRange(count, 1, FlowCount - 1));
    }

    [Fact]
    public void Driver_ThatStartsAnew_HasOnePairBeforeAndAfterADeath()
    {
        AskForPairs();
        Assert.Equal(NetControl.Ok, Answer());
        _registers.SetStatus(DeviceStatus.None);
        StartDriver();
        Assert.Equal(0, Spread()[1]);
        Kill();
        Revive();
        Assert.Equal(0, Spread()[1]);
    }

    private DeviceProcess StartProcess() => DeviceProcess.StartRecorded(
        new DeviceLaunchSpec { Kind = DeviceKind.Network, MacAddress = NetHarness.Own, Mtu = 1500, QueueCount = Pairs }, _kept, _backing);

    private void Kill()
    {
        _process.Kill();
        _process.Dispose();
    }

    private void Revive()
    {
        _process = StartProcess();
        Assert.True(_device.Replace(FdIo.Duplicate(_process.Frontend.Socket.Number)), string.Join("; ", _losses));
    }

    private void StartDriver()
    {
        _registers.Negotiate(VirtioFeatureBits.Version1 | NetFeatureBits.ControlQueue | NetFeatureBits.MultiQueue);
        _queues = [.. Enumerable.Range(0, NetworkQueues.Of(Pairs)).Select(_ => new DriverQueue(_guest, 64))];
        for (int index = 0; index < _queues.Length; index++)
        {
            VirtqueueLayout layout = _queues[index].Layout;
            _registers.Write(MmioRegister.QueueSel, (uint)index);
            _registers.Write(MmioRegister.QueueNum, _queues[index].Size);
            _registers.WriteAddress(MmioRegister.QueueDescLow, layout.DescriptorTable.Value);
            _registers.WriteAddress(MmioRegister.QueueDriverLow, layout.AvailableRing.Value);
            _registers.WriteAddress(MmioRegister.QueueDeviceLow, layout.UsedRing.Value);
            _registers.Write(MmioRegister.QueueReady, 1);
        }

        _registers.DriverOk();
        Assert.Equal(0x0Fu, _registers.Status);
        for (int pair = 0; pair < Pairs; pair++)
        {
            for (int count = 0; count < FlowCount; count++)
            {
                GiveBuffer(pair);
            }
        }
    }

    private void GiveBuffer(int pair)
    {
        _queues[2 * pair].Add(new DriverBuffer(_guest.Allocate(BufferBytes), BufferBytes, true));
        Kick(2 * pair);
    }

    private void AskForPairs()
    {
        byte[] command = new byte[NetControl.CommandBytes];
        NetControl.WriteSetPairs(command, Pairs);
        _answer = _guest.Place([0xEE]);
        _queues[^1].Add(new DriverBuffer(_guest.Place(command), NetControl.CommandBytes, false), new DriverBuffer(_answer, 1, true));
        Kick(_queues.Length - 1);
    }

    private byte Answer()
    {
        Await(() => _queues[^1].TryTakeUsed(out _, out _), "an answer to the command");
        return _guest.Read(_answer, 1)[0];
    }

    private void Kick(int index) => _ = EventFd.Signal(_wiring.IoEventFds[(Registers + 0x50, (uint)index)]);

    // A frame of each of many flows: where it comes.
    private int[] Spread()
    {
        int[] counts = new int[Pairs];
        for (int flow = 0; flow < FlowCount; flow++)
        {
            byte[] frame = NetHarness.Frame(NetHarness.Other);
            frame[23] = 17;
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(34), (ushort)(50000 + flow));
            byte[] bytes = new byte[sizeof(uint) + frame.Length];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)frame.Length);
            frame.CopyTo(bytes, sizeof(uint));
            Assert.Equal(0, FdIo.WriteAll(_network.Number, bytes));
            int pair = -1;
            Await(() => (pair = Array.FindIndex([0, 1], candidate => _queues[2 * candidate].TryTakeUsed(out _, out _))) >= 0, $"frame {flow}");
            counts[pair]++;
            GiveBuffer(pair);
        }

        return counts;
    }

    private static void Await(Func<bool> condition, string what) =>
        Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(10)), $"{what} did not come");
}
