using Sandbox.Control.Agent;
using Sandbox.Control.Jail;
using Sandbox.Control.Launch;
using Sandbox.Fuzz.Engine;

namespace Sandbox.Fuzz.Targets;

/// <summary>Launch messages and the jail's specification: what decodes must encode to the same bytes.</summary>
internal sealed class LaunchFuzzer : IFuzzer
{
    private const long DecodeAllocationBytes = 16 * 1024;

    private readonly byte[] _encoded = new byte[LaunchLimits.MaxFrameBytes];

    public string Name => "launch";

    public string Subject => "launch, control and jail messages, and what the host sends to the guest";

    public int MaxInputBytes => 512;

    public IReadOnlyList<byte[]> Dictionary { get; } =
    [
        JailSpecBytes(),
        DeviceBytes(new DeviceLaunchSpec { Kind = DeviceKind.Block, CapacityBytes = 512, SerialId = "serial" }),
        DeviceBytes(new DeviceLaunchSpec { Kind = DeviceKind.Vsock, GuestCid = 3, VsockPorts = [1024, 1025] }),
        VmmBytes(),
        EndedBytes(),
        ExecBytes(),
        ConfigureBytes(),
        ReplacementBytes(),
        VsockConnectBytes(),
        VsockAnswerBytes(),
    ];

    public void Run(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        // A known message as the beginning, most times, with the input's bytes laid over it somewhere.
        int kind = bytes[0] % 14;
        InputReader input = new(bytes[1..]);
        Span<byte> content = stackalloc byte[MaxInputBytes + 16];
        int length;
        int seedOf = kind switch { 0 => 1 + input.Below(2), 1 => 3, 2 => 4, 6 => 0, 8 => 5, 9 => 6, 11 => 7, 12 => 8, 13 => 9, _ => -1 };
        if (seedOf >= 0 && input.OneIn(2))
        {
            byte[] known = Dictionary[seedOf];
            known.CopyTo(content);
            int at = input.Below(known.Length);
            ReadOnlySpan<byte> over = input.Bytes(Math.Min(input.Below(12), known.Length - at));
            over.CopyTo(content[at..]);
            length = input.OneIn(4) ? input.Below(known.Length + 1) : known.Length;
        }
        else
        {
            length = input.Left;
            input.All().CopyTo(content);
        }

        long before = Allocation.Now;
        Decode(kind, content[..length]);
        Allocation.Require(before, DecodeAllocationBytes, "a message");
    }

    private void Decode(int kind, ReadOnlySpan<byte> content)
    {
        LaunchFault fault = LaunchFault.None;
        int encoded = 0;
        switch (kind)
        {
            case 0:
                fault = DeviceLaunchSpec.Decode(content, out DeviceLaunchSpec? device);
                encoded = device?.Encode(_encoded) ?? 0;
                break;
            case 1:
                fault = VmmLaunchSpec.Decode(content, out VmmLaunchSpec? vmm);
                encoded = vmm?.Encode(_encoded) ?? 0;
                break;
            case 2:
                fault = Ended.Decode(content, out Ended ended);
                encoded = fault == LaunchFault.None ? ended.Encode(_encoded) : 0;
                break;
            case 3:
                fault = Ready.Decode(content, out Ready ready);
                encoded = fault == LaunchFault.None ? ready.Encode(_encoded) : 0;
                break;
            case 4:
                fault = PhaseReached.Decode(content, out PhaseReached phase);
                encoded = fault == LaunchFault.None ? phase.Encode(_encoded) : 0;
                break;
            case 5:
                fault = LaunchFrame.ReadHeader(content, out _, out int contentBytes);
                Require(contentBytes is >= 0 and <= LaunchFrame.MaxContentBytes, "a header's length was let in");
                break;
            case 6:
                ReadJail(content);
                break;
            case 7:
                if (content.Length == JailReport.Bytes)
                {
                    JailReport.Decode(content).Encode(_encoded);
                    Require(content.SequenceEqual(_encoded.AsSpan(0, JailReport.Bytes)), "a jail report encodes to other bytes");
                }

                break;
            case 11:
                fault = DeviceReplacement.DecodeFrame(content, out DeviceReplacement replacement);
                Require(fault != LaunchFault.None || replacement.Place is >= 0 and < LaunchLimits.MaxDevices, "a place that is none was taken");
                break;
            case 12:
                fault = VsockConnect.Decode(content, out VsockConnect connect);
                encoded = fault == LaunchFault.None ? connect.Encode(_encoded) : 0;
                break;
            case 13:
                fault = VsockAnswer.DecodeFrame(content, out VsockAnswer answer);
                Require(fault != LaunchFault.None || (answer.Encode(_encoded) == content.Length && content.SequenceEqual(_encoded.AsSpan(0, content.Length))), "an answer that was taken encodes to other bytes");
                break;
            default:
                DecodeForGuest(kind, content);
                break;
        }

        Reached.Note(kind, (int)fault);
        if (encoded != 0)
        {
            Require(content.SequenceEqual(_encoded.AsSpan(LaunchFrame.HeaderBytes, encoded - LaunchFrame.HeaderBytes)), "a message that was taken encodes to other bytes");
        }
    }

    // What sandbox-init reads: the same readers and limits as the other way round.
    private void DecodeForGuest(int kind, ReadOnlySpan<byte> content)
    {
        AgentFault fault;
        int encoded = 0;
        switch (kind)
        {
            case 8:
                fault = ExecMessage.Decode(content, out ExecMessage exec);
                _ = fault == AgentFault.None ? exec.Encode(_encoded, out encoded) : fault;
                break;
            case 9:
                fault = ConfigureMessage.Decode(content, out ConfigureMessage configure);
                _ = fault == AgentFault.None ? configure.Encode(_encoded, out encoded) : fault;
                break;
            default:
                fault = SignalMessage.Decode(content, out SignalMessage signal);
                encoded = fault == AgentFault.None ? signal.Encode(_encoded) : 0;
                break;
        }

        Reached.Note(kind, (int)fault);
        if (fault == AgentFault.None)
        {
            Require(content.SequenceEqual(_encoded.AsSpan(AgentLimits.HeaderBytes, encoded - AgentLimits.HeaderBytes)), "a message to the guest that was taken encodes to other bytes");
        }
    }

    private static void ReadJail(ReadOnlySpan<byte> content)
    {
        if (!JailSpecView.TryDecode(content, out JailSpecView spec))
        {
            return;
        }

        Reached.Note(9, (spec.UserNamespace ? 1 : 0) | (spec.ChangesIdentity ? 2 : 0));
        _ = (spec.UserId, spec.GroupId, spec.MaxOpenFiles, spec.MaxProcesses, spec.MaxLockedBytes, spec.MaxFileBytes, spec.MaxAddressSpaceBytes);
        for (int fd = -1; fd <= 256; fd++)
        {
            _ = spec.Inherits(fd);
        }

        Require(!spec.Inherits(-1) && !spec.Inherits(JailFds.FirstOfJail), "an fd out of range is inherited");
        Require(!spec.Arguments.IsEmpty && spec.Arguments[^1] == 0, "argv without an end was taken");
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new FindingException($"launch: {what}");
        }
    }

    private static byte[] JailSpecBytes() => new JailSpec { Fds = [0, 1, 2, 3], Arguments = ["exe", "x"], UserId = 1, GroupId = 1 }.Encode();

    private static byte[] DeviceBytes(DeviceLaunchSpec spec) => Content(spec.Encode);

    private static byte[] VmmBytes() => Content(new VmmLaunchSpec
    {
        MemoryBytes = 1 << 20,
        CpuCount = 2,
        CommandLine = "console=ttyS0",
        KernelBytes = 4096,
        InitrdBytes = 0,
        Devices = [new VmmDevice(DeviceKind.Block, 1), new VmmDevice(DeviceKind.Vsock, 3)],
    }.Encode);

    private static byte[] EndedBytes() => Content(new Ended((EndReason)1, 7, "why").Encode);

    private static byte[] ExecBytes()
    {
        byte[] frame = new byte[AgentLimits.MaxFrameBytes];
        _ = new ExecMessage(1, ["/bin/ls", "-l"], ["A=b"], "/", true).Encode(frame, out int length);
        return frame[AgentLimits.HeaderBytes..length];
    }

    private static byte[] ConfigureBytes()
    {
        byte[] frame = new byte[AgentLimits.MaxFrameBytes];
        _ = new ConfigureMessage("host", "/dev/vda", "erofs", true, 1, null, new byte[AgentLimits.EntropyBytes]).Encode(frame, out int length);
        return frame[AgentLimits.HeaderBytes..length];
    }

    private static byte[] ReplacementBytes()
    {
        byte[] frame = new byte[DeviceReplacement.FrameBytes];
        _ = new DeviceReplacement(1).Encode(frame);
        return frame;
    }

    private static byte[] VsockConnectBytes() => Content(new VsockConnect(1).Encode);

    private static byte[] VsockAnswerBytes()
    {
        byte[] frame = new byte[VsockAnswer.FrameBytes];
        _ = new VsockAnswer(1, true).Encode(frame);
        return frame;
    }

    private static byte[] Content(EncodeInto encode)
    {
        byte[] frame = new byte[LaunchLimits.MaxFrameBytes];
        return frame[LaunchFrame.HeaderBytes..encode(frame)];
    }

    private delegate int EncodeInto(Span<byte> frame);
}
