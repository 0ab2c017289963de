using System.Buffers.Binary;
using System.Text;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Seccomp;
using Sandbox.Testing;
using Sandbox.Unit.Tests.Seccomp;
using Sandbox.VhostUser;

namespace Sandbox.Unit.Tests.Device;

/// <summary>
/// Each rule of the block device's filter is needed: a copy of the real exe whose filter lacks one dies in a session that a complete one
/// serves to its end. The shipped exe has no switch for that: the filter is replaced in the copy's bytes.
/// </summary>
public sealed class FilterRuleTests : IDisposable
{
    private const string Policy = "device-block.policy";
    private const int BadSystemCall = 31; // SIGSYS

    private readonly string _exe = Path.GetTempFileName();
    private readonly TestGuest _guest = new();
    private readonly FdHandle _disk = MemFd.Create("disk");
    private readonly FdHandle _kick = EventFd.Create();
    private readonly FdHandle _call = EventFd.Create();

    public static TheoryData<int> Rules => [.. PolicyFiles.Parse(Policy).Select(rule => rule.Number)];

    public void Dispose()
    {
        File.Delete(_exe);
        _call.Dispose();
        _kick.Dispose();
        _disk.Dispose();
        _guest.Dispose();
    }

    [Fact]
    public void Session_WithEveryRule_IsServedToItsEnd() => Assert.Equal(new ExitStatus(0, 0), Serve(without: -1));

    [Theory]
    [MemberData(nameof(Rules))]
    public void Session_WithoutOneRule_EndsByTheFilter(int number) => Assert.Equal(BadSystemCall, Serve(number).Signal);

    private ExitStatus Serve(int without)
    {
        WriteExe(without);
        Assert.Equal(65536, FdIo.Write(_disk.Number, new byte[65536]));
        using DeviceProcess process = DeviceProcess.StartOther(_exe, new DeviceLaunchSpec { Kind = DeviceKind.Block, CapacityBytes = 65536, SerialId = "disk0" }, _disk);
        try
        {
            if (process.ReceiveControl(out _) == LaunchMessageType.Ready)
            {
                Drive(process);
            }

            process.Frontend.Dispose();
        }
        catch (Exception failure) when (failure is LinuxException or EndOfStreamException)
        {
            // It died on the way: its exit status tells of what.
        }

        return process.WaitForExit();
    }

    private void Drive(DeviceProcess process)
    {
        process.Frontend.Negotiate(_guest);
        DriverQueue driver = new(_guest, 16);
        process.Frontend.StartRing(0, driver, _kick.Number, _call.Number);
        GuestAddress data = _guest.Allocate(4096);
        byte[] range = new byte[16]; // virtio 1.2 §5.2.6, struct virtio_blk_discard_write_zeroes: eight sectors from sector 0
        BinaryPrimitives.WriteUInt32LittleEndian(range.AsSpan(8), 8);
        bool served = Request(process, driver, 1, new DriverBuffer(data, 4096, false)) // VIRTIO_BLK_T_OUT
            && Request(process, driver, 0, new DriverBuffer(data, 4096, true)) // VIRTIO_BLK_T_IN
            && Request(process, driver, 4) // VIRTIO_BLK_T_FLUSH
            && Request(process, driver, 11, new DriverBuffer(_guest.Place(range), 16, false)); // VIRTIO_BLK_T_DISCARD
        if (served)
        {
            process.Frontend.SendMemory(_guest); // a new table in the place of the old
            _ = process.Frontend.StopRing(0);
        }
    }

    private bool Request(DeviceProcess process, DriverQueue driver, uint type, params DriverBuffer[] data)
    {
        byte[] header = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(header, type);
        driver.WantCallAt(driver.UsedIndex);
        driver.Add([new DriverBuffer(_guest.Place(header), 16, false), .. data, new DriverBuffer(_guest.Place([0xEE]), 1, true)]);
        EventFd.Signal(_kick.Number);
        while (Poll.Wait(_call.Number, PollEvents.Readable, 20, out _) != 1)
        {
            if (process.HasEnded)
            {
                return false;
            }
        }

        EventFd.TryConsume(_call.Number);
        return driver.TryTakeUsed(out _, out _);
    }

    // The program may only become shorter; what is left of the old one is never reached, but must still be valid instructions.
    private void WriteExe(int without)
    {
        byte[] exe = File.ReadAllBytes(DeviceProcess.ExecutablePath);
        byte[] name = Encoding.ASCII.GetBytes(Path.GetFileNameWithoutExtension(Policy));
        byte[] header = [.. Encoding.ASCII.GetBytes(FilterSource.Magic), (byte)name.Length, .. name];
        int at = exe.AsSpan().IndexOf(header) + header.Length + sizeof(ushort);
        Assert.True(at > header.Length);
        byte[] program = FilterCompiler.ToBytes(FilterCompiler.Compile(PolicyFiles.Parse(Policy).Where(rule => rule.Number != without), SeccompAction.KillProcess));
        program.CopyTo(exe, at);
        File.Copy(DeviceProcess.ExecutablePath, _exe, overwrite: true); // for its permissions
        File.WriteAllBytes(_exe, exe);
    }
}
