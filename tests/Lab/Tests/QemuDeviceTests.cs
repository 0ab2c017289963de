using Sandbox.Control.Launch;
using Sandbox.Linux;
using Xunit.Abstractions;

namespace Sandbox.Lab.Tests;

/// <summary>Our entropy and vsock devices behind a frontend that nobody here wrote: QEMU's vhost-user-rng and vhost-user-vsock, with Debian's drivers in its guest.</summary>
public sealed class QemuDeviceTests(ITestOutputHelper output) : IDisposable
{
    private const uint Port = 5000;

    private readonly string _folder = Directory.CreateTempSubdirectory("sandbox-qemu-").FullName;

    private string Socket => Path.Combine(_folder, "socket");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Qemu_WithOurEntropyDevice_HasRandomBytes()
    {
        using DeviceServer server = new(Socket, new DeviceLaunchSpec { Kind = DeviceKind.Entropy }, FileOpen.ReadWrite("/dev/null"));
        string said = await QemuGuest.RunAsync(
            ["-chardev", $"socket,id=device,path={Socket}", "-device", "vhost-user-rng-pci,chardev=device,vectors=0"],
            """
            [ -d /sys/module/virtio_rng ] || insmod "$1/virtio-rng.ko" || exit 6
            cat /sys/class/misc/hw_random/rng_current
            dd if=/dev/hwrng bs=64 count=64 iflag=fullblock 2>/dev/null >/tmp/random; stat -c %s /tmp/random
            for byte in 00 55 ff; do od -An -v -tx1 -w1 /tmp/random | grep -c "$byte"; done | sort -n | tail -n 1 | awk '{ print ($1 < 64 ? "random" : "not random: " $1 " bytes alike") }'
            """,
            output);
        Assert.Equal("virtio_rng.0\n4096\nrandom\n", said);
    }

    [Fact]
    public async Task Qemu_WithOurVsockDevice_TalksToTheHostsProgram()
    {
        const int megabytes = 4;
        (FdHandle device, FdHandle program) = UnixSocket.CreatePair();
        DeviceLaunchSpec spec = new() { Kind = DeviceKind.Vsock, GuestCid = 3, VsockPorts = [Port] };
        using DeviceServer server = new(Socket, spec, device);
        Thread echo = new(() => Echo(program)) { IsBackground = true };
        echo.Start();
        string said = await QemuGuest.RunAsync(
            ["-chardev", $"socket,id=device,path={Socket}", "-device", "vhost-user-vsock-pci,chardev=device,vectors=0"],
            """
            for module in vsock vmw_vsock_virtio_transport_common vmw_vsock_virtio_transport; do [ -d /sys/module/$module ] || insmod "$1/$module.ko" || exit 6; done
            "$2" streams 5000 1 $(("$3" << 20))
            """,
            output,
            CompiledProgram.Of("tests/Lab/stress/vsock.c"),
            $"{megabytes}");
        Assert.Equal($"vsock: 1 streams at once, {megabytes << 20} bytes there and back on each, every byte right\n", said);
        echo.Join();
    }

    // The host's program: everything back, until the guest has said that there is no more.
    private static void Echo(FdHandle program)
    {
        using (program)
        {
            byte[] bytes = new byte[32768];
            for (int count; (count = FdIo.Read(program.Number, bytes)) > 0;)
            {
                _ = FdIo.WriteAll(program.Number, bytes.AsSpan(0, count));
            }
        }
    }
}
