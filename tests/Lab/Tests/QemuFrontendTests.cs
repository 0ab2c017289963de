using System.Text;
using Sandbox.Lab.Machine;
using Xunit.Abstractions;

namespace Sandbox.Lab.Tests;

/// <summary>
/// Our device process behind a frontend that nobody here wrote: QEMU's vhost-user-blk with Debian's own kernel as its guest, which checks
/// what it writes with fio, makes a file system and checks it.
/// </summary>
public sealed class QemuFrontendTests(ITestOutputHelper output) : IDisposable
{
    private const string Load =
        """
        PATH=$PATH:/usr/sbin:/sbin
        exec 3<&0 </dev/null # what ends when the last kill is done
        [ -d /sys/module/virtio_blk ] || insmod "$1/virtio_blk.ko" || exit 6
        for wait in $(seq 100); do [ -b /dev/vda ] && break; sleep 0.1; done
        echo "serial $(cat /sys/block/vda/serial) queues $(ls /sys/block/vda/mq | wc -l) cache $(cat /sys/block/vda/queue/write_cache)"
        echo attached >&2
        (cat >/dev/null; touch /tmp/stop) <&3 &
        while
            fio --name=verify --filename=/dev/vda --direct=1 --ioengine=libaio --iodepth=8 --rw=randrw --bs=4k --size=24M --io_size=16M --numjobs=2 \
                --offset_increment=24M --verify=crc32c --verify_fatal=1 --group_reporting >/tmp/fio.out 2>&1 || { cat /tmp/fio.out; exit 1; }
            [ ! -e /tmp/stop ]
        do :; done
        mke2fs -q -F -t ext4 /dev/vda && mkdir -p /tmp/mnt && mount /dev/vda /tmp/mnt || exit 2
        dd if=/dev/urandom of=/tmp/random bs=64k count=64 2>/dev/null
        cp /tmp/random /tmp/mnt/random; sync; fstrim /tmp/mnt; umount /tmp/mnt
        e2fsck -f -n /dev/vda >/tmp/fsck 2>&1 || { cat /tmp/fsck; exit 3; }
        mount /dev/vda /tmp/mnt && cmp /tmp/random /tmp/mnt/random && umount /tmp/mnt || exit 4
        if dmesg | grep -iE 'I/O error|EXT4-fs error|blk_update_request'; then exit 5; fi
        echo sound
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("sandbox-qemu-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>The longer form of <c>make crash-test</c> sets the number.</summary>
    [Fact]
    public async Task Qemu_WithOurDeviceProcessKilled_ReconnectsAndItsGuestSeesNoError() =>
        await RunAsync(int.TryParse(Environment.GetEnvironmentVariable("QEMU_KILLS"), out int kills) ? kills : 4);

    private async Task RunAsync(int kills)
    {
        string image = Path.Combine(_folder, "disk");
        string socket = Path.Combine(_folder, "socket");
        using (FileStream file = File.Create(image))
        {
            file.SetLength(64 << 20);
        }

        using DeviceServer server = new(socket, image, queueCount: 2);
        LabOptions options = LabOptions.ForRepository(Product.Root) with
        {
            EmulatorArguments =
            [
                "-chardev", $"socket,id=disk,path={socket},reconnect=1",
                "-device", "vhost-user-blk-pci,chardev=disk,num-queues=2",
            ],
        };
        using LabMachine machine = await Task.Run(() => LabMachine.Boot(options));
        StringBuilder said = new();
        TaskCompletionSource attached = new();
        LabCommand command = machine.Session.Start(
            new CommandSpec(["bash", "-c", Load, "load", Path.GetDirectoryName(Kernels.PathOf(Kernels.DebianElf)) + "/modules"]) { Directory = Product.Root },
            bytes => said.Append(Encoding.UTF8.GetString(bytes)),
            bytes =>
            {
                said.Append(Encoding.UTF8.GetString(bytes));
                attached.TrySetResult();
            });
        await Task.WhenAny(attached.Task, command.Exit).WaitAsync(TimeSpan.FromSeconds(60));
        Random random = new(7);
        int killed = 0;
        while (killed < kills && await ReconnectedAsync(server, killed))
        {
            await Task.WhenAny(command.Exit, Task.Delay(random.Next(200, 1500)));
            if (command.Exit.IsCompleted)
            {
                break;
            }

            server.Kill();
            killed++;
        }

        bool reconnected = await ReconnectedAsync(server, killed);
        command.EndInput();
        int code = await command.Exit.WaitAsync(TimeSpan.FromMinutes(15));
        output.WriteLine($"{killed} kills, {server.Connections} connections; {said}");
        Assert.True(code == 0 && said.ToString().Contains("sound", StringComparison.Ordinal), $"{code}: {said}\n{machine.ReadLogs()}");
        Assert.Contains("serial sandboxdisk queues 2 cache write back", said.ToString(), StringComparison.Ordinal);
        Assert.Equal((kills, true), (killed, reconnected));
    }

    /// <summary>QEMU tries once a second: true when it has come back after each kill.</summary>
    private static async Task<bool> ReconnectedAsync(DeviceServer server, int kills)
    {
        for (int wait = 0; wait < 600 && server.Connections <= kills; wait++)
        {
            await Task.Delay(100);
        }

        return server.Connections > kills;
    }
}
