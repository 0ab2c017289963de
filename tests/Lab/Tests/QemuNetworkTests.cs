using System.Diagnostics;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Xunit.Abstractions;

namespace Sandbox.Lab.Tests;

/// <summary>
/// Our network device behind QEMU, which treats pairs of queues in its own way: it answers the control queue itself, and speaks to the backend as to one
/// device a pair.
/// </summary>
public sealed class QemuNetworkTests(ITestOutputHelper output) : IDisposable
{
    private const string Load =
        """
        PATH=$PATH:/usr/sbin:/sbin
        for module in failover net_failover virtio_net; do [ -d /sys/module/$module ] || insmod "$1/$module.ko" || exit 6; done
        for wait in $(seq 100); do [ -d /sys/class/net/eth0 ] && break; sleep 0.1; done
        ip link set eth0 up && ip addr add 192.0.2.2/24 dev eth0 && ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:02 dev eth0 || exit 5
        echo $(ls /sys/class/net/eth0/queues)
        for round in 1 2 3 4 5 6 7 8; do
            for processor in 0 1; do taskset -c $processor busybox ping -q -c 4 -i 0.05 -W 5 192.0.2.1 >/tmp/ping || { cat /tmp/ping; exit 4; }; done
        done
        "$2" eth0 | head -n 1
        "$2" eth0 | grep -cE "^[rt]x[0-9] [0-9]{2,}$"
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("sandbox-qemu-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(1, "rx-0 tx-0\ncombined 1 of 1\n2\n")]
    [InlineData(2, "rx-0 rx-1 tx-0 tx-1\ncombined 2 of 2\n4\n")]
    public async Task Qemu_WithOurNetworkDevice_SendsAndReceivesOnEveryPair(int pairs, string expected)
    {
        string channels = CompiledProgram.Of("tests/Lab/Tests/channels.c");
        string path = Path.Combine(_folder, "socket");
        (FdHandle device, FdHandle network) = UnixSocket.CreatePair();
        using PingPeer peer = new(network);
        DeviceLaunchSpec spec = new() { Kind = DeviceKind.Network, MacAddress = 0x02_00_00_00_00_01, Mtu = 1500, QueueCount = pairs };
        using DeviceServer server = new(path, spec, device);
        string said = await QemuGuest.RunAsync(
            [
                "-chardev", $"socket,id=net,path={path}",
                "-netdev", $"vhost-user,id=net,chardev=net,queues={pairs}",
                // Without MSI-X: QEMU 7.2 reads through a null pointer (the vectors of irqfds) where it emulates the processor and a backend has its own eventfds.
                "-device", "virtio-net-pci,netdev=net,mac=02:00:00:00:00:01,mq=on,vectors=0,romfile=",
            ],
            Load,
            output,
            channels);
        Assert.Equal(expected, said);
    }

    /// <summary>iperf3 both ways: Debian's driver, QEMU, our device process, passt.</summary>
    [Fact]
    public async Task Qemu_WithOurNetworkDeviceAndPasst_CarriesIperf3()
    {
        string path = Path.Combine(_folder, "socket");
        (FdHandle device, FdHandle network) = UnixSocket.CreatePair();
        using Process server = Process.Start(new ProcessStartInfo("iperf3", ["-s", "-B", "127.0.0.1", "-p", "5299"]) { RedirectStandardOutput = true })!;
        using FdHandle passtExe = FileOpen.Read("/usr/bin/passt");
        using FdHandle nothing = FileOpen.ReadWrite("/dev/null");
        ChildProcess passt = Spawner.Spawn(new SpawnSpec
        {
            Executable = passtExe,
            Arguments = ["passt", "--foreground", "--stderr", "--quiet", "--fd", "3", "--ipv4-only", "--address", "192.0.2.2", "--netmask", "255.255.255.0", "--gateway", "192.0.2.1", "--udp-ports", "none", "--tcp-ports", "none"],
            Fds = [new(0, nothing), new(1, nothing), new(2, nothing), new(3, network)],
        });
        network.Dispose();
        try
        {
            DeviceLaunchSpec spec = new() { Kind = DeviceKind.Network, MacAddress = 0x02_00_00_00_00_01, Mtu = 1500, QueueCount = 1 };
            using DeviceServer backend = new(path, spec, device);
            string said = await QemuGuest.RunAsync(
                [
                    "-chardev", $"socket,id=net,path={path}", "-netdev", "vhost-user,id=net,chardev=net",
                    "-device", "virtio-net-pci,netdev=net,mac=02:00:00:00:00:01,vectors=0,romfile=",
                ],
                """
                for module in failover net_failover virtio_net; do [ -d /sys/module/$module ] || insmod "$1/$module.ko" || exit 6; done
                for wait in $(seq 100); do [ -d /sys/class/net/eth0 ] && break; sleep 0.1; done
                ip link set eth0 up && ip addr add 192.0.2.2/24 dev eth0 && ip route add default via 192.0.2.1 || exit 5
                for way in "" -R; do iperf3 -c 192.0.2.1 -p 5299 -t 4 -f m $way >/tmp/iperf || { cat /tmp/iperf; exit 4; }; grep receiver /tmp/iperf >&2; done
                echo both ways
                """,
                output);
            Assert.Equal("both ways\n", said);
        }
        finally
        {
            server.Kill();
            _ = passt.Kill(9);
        }
    }
}
