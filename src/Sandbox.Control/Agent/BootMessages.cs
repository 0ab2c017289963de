namespace Sandbox.Control.Agent;

/// <summary>What sandbox-init was doing when its boot failed. Numbers are on the wire.</summary>
public enum BootStage : byte
{
    None = 0,
    Mounts = 1,
    Modules = 2,
    Connect = 3,
    Protocol = 4,
    RootDevice = 5,
    RootFileSystem = 6,
    Overlay = 7,
    SwitchRoot = 8,
    Settings = 9,
    Network = 10,
}

/// <summary>Guest to host, first of all: the version the guest's agent speaks.</summary>
public readonly record struct HelloMessage(uint Version)
{
    public int Encode(Span<byte> frame)
    {
        FieldWriter writer = new(frame);
        writer.UInt32(Version);
        return writer.Finish(AgentMessageType.Hello);
    }

    public static AgentFault Decode(ReadOnlySpan<byte> body, out HelloMessage message)
    {
        FieldReader reader = new(body);
        message = new HelloMessage(reader.UInt32());
        reader.Require(message.Version == AgentLimits.Version, AgentFault.Version);
        return reader.Finish();
    }
}

/// <summary>Host to guest: what the guest is to become.</summary>
/// <param name="HostName">At most <see cref="AgentLimits.MaxHostNameBytes"/>.</param>
/// <param name="RootDevice">The block device of the root, for example <c>/dev/vda</c>.</param>
/// <param name="RootFileSystem">Its file system: <c>erofs</c> or <c>ext4</c>.</param>
/// <param name="WritableOverlay">A tmpfs over the root takes the writes, and they vanish with the guest. Without it the root is read-only.</param>
/// <param name="RealtimeNanoseconds">The host's CLOCK_REALTIME at sending.</param>
/// <param name="Network">The interface to set up; null where there is none.</param>
/// <param name="Entropy">Exactly <see cref="AgentLimits.EntropyBytes"/> bytes from the host's getrandom(2).</param>
public sealed record ConfigureMessage(
    string HostName,
    string RootDevice,
    string RootFileSystem,
    bool WritableOverlay,
    long RealtimeNanoseconds,
    GuestNetwork? Network,
    ReadOnlyMemory<byte> Entropy)
{
    /// <summary>Writes the frame; its length in bytes, or the limit that a field breaks.</summary>
    public AgentFault Encode(Span<byte> frame, out int frameBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(Entropy.Length, AgentLimits.EntropyBytes);
        FieldWriter writer = new(frame);
        writer.Text(HostName, AgentLimits.MaxHostNameBytes);
        writer.Text(RootDevice, AgentLimits.MaxPathBytes);
        writer.Text(RootFileSystem, AgentLimits.MaxFileSystemBytes);
        writer.Flag(WritableOverlay);
        writer.Int64(RealtimeNanoseconds);
        writer.Flag(Network is not null);
        Network?.Write(ref writer);
        writer.Bytes(Entropy.Span);
        return writer.Finish(AgentMessageType.Configure, out frameBytes);
    }

    public static AgentFault Decode(ReadOnlySpan<byte> body, out ConfigureMessage message)
    {
        FieldReader reader = new(body);
        message = new ConfigureMessage(
            reader.Text(AgentLimits.MaxHostNameBytes),
            reader.Text(AgentLimits.MaxPathBytes),
            reader.Text(AgentLimits.MaxFileSystemBytes),
            reader.Flag(),
            reader.Int64(),
            reader.Flag() ? GuestNetwork.Read(ref reader) : null,
            reader.Take(AgentLimits.EntropyBytes).ToArray());
        return reader.Finish();
    }
}

/// <summary>Guest to host: the root is in place and commands may come.</summary>
/// <param name="InitStartedNanoseconds">The guest's CLOCK_MONOTONIC when sandbox-init began. The guest's word: for display only.</param>
/// <param name="ReadyNanoseconds">The same clock now.</param>
public readonly record struct ReadyMessage(long InitStartedNanoseconds, long ReadyNanoseconds)
{
    public int Encode(Span<byte> frame)
    {
        FieldWriter writer = new(frame);
        writer.Int64(InitStartedNanoseconds);
        writer.Int64(ReadyNanoseconds);
        return writer.Finish(AgentMessageType.Ready);
    }

    public static AgentFault Decode(ReadOnlySpan<byte> body, out ReadyMessage message)
    {
        FieldReader reader = new(body);
        message = new ReadyMessage(reader.Int64(), reader.Int64());
        reader.Require(message.InitStartedNanoseconds >= 0 && message.ReadyNanoseconds >= message.InitStartedNanoseconds);
        return reader.Finish();
    }
}

/// <summary>Guest to host, instead of Ready: which step of the boot failed, with what error number (0: none), on what.</summary>
public sealed record FailedMessage(BootStage Stage, int Errno, string Text)
{
    /// <summary>Writes the frame; a text that is too long is a fault, so cut it before.</summary>
    public AgentFault Encode(Span<byte> frame, out int frameBytes)
    {
        FieldWriter writer = new(frame);
        writer.Byte((byte)Stage);
        writer.Int32(Errno);
        writer.Text(Text, AgentLimits.MaxTextBytes);
        return writer.Finish(AgentMessageType.Failed, out frameBytes);
    }

    public static AgentFault Decode(ReadOnlySpan<byte> body, out FailedMessage message)
    {
        FieldReader reader = new(body);
        BootStage stage = (BootStage)reader.Byte();
        reader.Require(stage is > BootStage.None and <= BootStage.Network);
        message = new FailedMessage(stage, reader.Int32(0, AgentLimits.MaxErrno), reader.Text(AgentLimits.MaxTextBytes));
        return reader.Finish();
    }
}
