namespace Sandbox.Lab.Tests;

/// <summary>`sandbox run --net`: through passt and through a tap interface. The host's side is a network namespace of the test's own, so that its networks are nobody's.</summary>
[Collection(DeviceGroup.Name)]
public sealed class NetworkTests(LabHost lab)
{
    private const string Lan =
        """
        ip link set lo up
        ip tuntap add dev lan0 mode tap && ip addr add 198.51.100.1/24 dev lan0 && ip link set lan0 up && ip route add default via 198.51.100.254 dev lan0 || exit 99
        mkdir -p /tmp/left.www && head -c 2000000 /dev/urandom >/tmp/left.www/file
        sum=$(md5sum </tmp/left.www/file)
        serve() { busybox httpd -f -p "$1" -h /tmp/left.www & for wait in $(seq 50); do wget -q -O /dev/null "http://$1/file" && return; sleep 0.1; done; exit 98; }
        """;

    // What was started in the background ends with its namespace's first process.
    private Task<CommandResult> InNamespaceAsync(string script) => lab.RunAsync(
        ["unshare", "--net", "--pid", "--fork", "--mount-proc", "--kill-child", "bash", "-c", $"sandbox={Product.Exe}\n{Lan}\n{script}\ncode=$?; rm -rf /tmp/left.*; exit $code"]);

    [Fact]
    public async Task UserNetwork_ReachesTheNetworkAndNotTheHostsLoopback()
    {
        // The last part is an attack: a guest that routes the host's loopback addresses to passt, which would connect to them.
        CommandResult result = await InNamespaceAsync(
            """
            serve 198.51.100.1:8000; serve 127.0.0.1:8001
            $sandbox run --net user --dns 192.0.2.53 --env "SUM=$sum" -- /bin/sh -c '
                cat /etc/resolv.conf
                [ "$(wget -q -O - http://198.51.100.1:8000/file | md5sum)" = "$SUM" ] && echo downloaded
                ip addr del 127.0.0.1/8 dev lo
                echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet
                ip route add 127.0.0.0/8 via 10.0.2.2
                before=$(cat /sys/class/net/eth0/statistics/tx_packets)
                echo GET /file | nc -w 2 127.0.0.1 8001 | head -c 10 | wc -c
                [ $(cat /sys/class/net/eth0/statistics/tx_packets) -gt $before ] && echo sent'
            """);
        Expect.ExitCode(0, result);
        Assert.Equal(["nameserver 192.0.2.53", "downloaded", "0", "sent"], result.Text.Split('\n'));
    }

    [Fact]
    public async Task ForwardedPort_OfTheHost_LeadsIntoTheGuest()
    {
        CommandResult result = await InNamespaceAsync(
            """
            $sandbox run --net user -p 8080:80 -- /bin/sh -c 'echo ready; echo from the guest | nc -l -p 80' >/tmp/left.out &
            for wait in $(seq 400); do grep -q ready /tmp/left.out && break; sleep 0.1; done
            for wait in $(seq 50); do busybox nc -w 60 127.0.0.1 8080 </dev/null | grep . && break; sleep 0.2; done
            wait $!
            """);
        Expect.ExitCode(0, result);
        Expect.Text("from the guest", result);
    }

    [Fact]
    public async Task Tap_CarriesBothWaysWithOffloads_ButNoForeignAddress()
    {
        CommandResult result = await InNamespaceAsync(
            """
            ip tuntap add dev tap7 mode tap && ip addr add 192.168.77.1/24 dev tap7 && ip link set tap7 up || exit 97
            serve 192.168.77.1:8000
            busybox nc -l -p 9000 < <(sleep 600) >/tmp/left.up & # an input at its end would end it
            $sandbox run --net tap=tap7 --ip 192.168.77.2/24 --gateway 192.168.77.1 --env "SUM=$sum" -- /bin/sh -c '
                [ "$(wget -q -O - http://192.168.77.1:8000/file | md5sum)" = "$SUM" ] && echo downloaded
                head -c 2000000 /dev/zero | nc 192.168.77.1 9000 && echo uploaded
                while grep -qE ":2328 0[149B]" /proc/net/tcp; do sleep 0.1; done # until all is acknowledged
                ip route | head -n 1
                ping -c 1 -W 3 192.168.77.1 >/dev/null && echo answered
                ip link set eth0 down; ip link set eth0 address 02:00:00:00:00:99; ip link set eth0 up
                ping -c 1 -W 1 192.168.77.1 >/dev/null || echo not as another' || exit
            wc -c </tmp/left.up
            """);
        Expect.ExitCode(0, result);
        Assert.Equal(["downloaded", "uploaded", "default via 192.168.77.1 dev eth0 ", "answered", "not as another", "2000000"], result.Text.Split('\n'));
    }

    /// <summary>
    /// Two processors of the guest download at once, each by its own pair of queues, while the device's process is killed again and again. The driver
    /// has said only once that it uses two.
    /// </summary>
    [Fact]
    public async Task Tap_WithTwoPairsOfQueues_CarriesBothAndOutlivesItsDeviceProcess()
    {
        string channels = CompiledProgram.Of("tests/Lab/Tests/channels.c");
        CommandResult result = await InNamespaceAsync(
            $$"""
            ip tuntap add dev tap7 mode tap && ip addr add 192.168.77.1/24 dev tap7 && ip link set tap7 up || exit 97
            serve 192.168.77.1:8000
            mkdir -p /tmp/left.root/{bin,dev,proc,sys,tmp,run,etc,root} && cp /bin/busybox {{channels}} /tmp/left.root/bin/ && ln -s busybox /tmp/left.root/bin/sh
            mkfifo /tmp/left.stop
            $sandbox run --cpus 2 --rootfs /tmp/left.root --net tap=tap7,queues=2 --ip 192.168.77.2/24 --env "SUM=$sum" -- /bin/busybox sh -c '
                exec 4<&0 </dev/null
                for tool in ls cat touch taskset wget md5sum head grep wc; do ln -s busybox /bin/$tool; done
                (cat <&4 >/dev/null; touch /tmp/stop) &
                get() { [ "$(taskset $1 wget -q -O - http://192.168.77.1:8000/file | md5sum)" = "$SUM" ] || echo lost by processor $1; }
                both() { get 1 & first=$!; get 2 & wait $!; wait $first; }
                busy() { channels eth0 | grep -cE "^[rt]x[01] [0-9]{2,}$"; }
                echo $(ls /sys/class/net/eth0/queues)
                channels eth0 | head -n 1
                both
                busy
                echo ready
                rounds=0
                while [ ! -e /tmp/stop ] || [ $rounds -lt 3 ]; do both; rounds=$((rounds + 1)); done
                rounds=0
                before=$(channels eth0 | grep rx1)
                while [ "$(channels eth0 | grep rx1)" = "$before" ] && [ $rounds -lt 20 ]; do both; rounds=$((rounds + 1)); done
                [ $rounds -lt 20 ] && echo both still || channels eth0
                channels eth0 1 && channels eth0 | head -n 1
                before=$(channels eth0 | grep rx1)
                both
                [ "$(channels eth0 | grep rx1)" = "$before" ] && echo one again || channels eth0' </tmp/left.stop >/tmp/left.out 2>/tmp/left.err &
            sandbox=$!
            exec 3>/tmp/left.stop
            for wait in $(seq 600); do grep -q ready /tmp/left.out && break; sleep 0.1; done
            for kill in 1 2 3; do pkill -KILL -f '^sandbox-device .net.' || echo "not there to be killed"; sleep 2; done
            exec 3>&-
            wait $sandbox; code=$?
            cat /tmp/left.out /tmp/left.err
            exit $code
            """);
        Expect.ExitCode(0, result);
        Assert.Equal(["rx-0 rx-1 tx-0 tx-1", "combined 2 of 2", "4", "ready", "both still", "combined 1 of 2", "one again"], result.Text.Split('\n'));
    }

    [Fact]
    public async Task UserNetwork_WithTwoPairsOfQueues_Downloads()
    {
        CommandResult result = await InNamespaceAsync(
            """
            serve 198.51.100.1:8000
            $sandbox run --cpus 2 --net user,queues=2 --env "SUM=$sum" -- /bin/sh -c '
                echo $(ls /sys/class/net/eth0/queues)
                get() { [ "$(taskset $1 wget -q -O - http://198.51.100.1:8000/file | md5sum)" = "$SUM" ] && echo downloaded; }
                get 1 & get 2 & wait'
            """);
        Expect.ExitCode(0, result);
        Assert.Equal(["rx-0 rx-1 tx-0 tx-1", "downloaded", "downloaded"], result.Text.Split('\n'));
    }

    [Fact]
    public async Task Passt_WhenLauncherOrItselfIsKilled_IsGoneWithItsGuest()
    {
        CommandResult result = await InNamespaceAsync(
            """
            start() { $sandbox run --net user -- /bin/sh -c 'echo ready; sleep 600' >/tmp/left.out 2>/tmp/left.err & for wait in $(seq 400); do grep -q ready /tmp/left.out && break; sleep 0.1; done; pgrep -c passt; }
            gone() { for wait in $(seq 50); do pgrep 'passt|sandbox' >/dev/null || { echo gone; return; }; sleep 0.1; done; pgrep -a 'passt|sandbox'; }
            start; kill -KILL $!; wait $! 2>/dev/null; gone
            start; pkill -SEGV passt; wait $!; echo $?; gone; grep -c 'passt' /tmp/left.err
            """);
        Assert.Equal(["1", "gone", "1", "125", "gone", "1"], result.Text.Split('\n'));
    }

    [Theory]
    [InlineData("ip route del default; $sandbox run --net user -- /bin/true", "passt", "")]
    [InlineData("$sandbox run --net user -p 198.51.100.77:8080:80 -- /bin/true", "passt", "")]
    [InlineData("$sandbox run --net tap=nosuch -- /bin/true", "nosuch", "ip tuntap add")]
    [InlineData("$sandbox run --net tap=lo -- /bin/true", "lo", "no tap interface")]
    public async Task Network_ThatCannotBe_IsToldInOneLine(string command, string what, string cure)
    {
        Expect.Failure(await InNamespaceAsync(command), what, cure);
    }
}
