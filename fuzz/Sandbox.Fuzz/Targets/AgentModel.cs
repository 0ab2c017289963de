using System.Buffers.Binary;
using Sandbox.Control.Agent;

namespace Sandbox.Fuzz.Targets;

/// <summary>What a guest can never get past the session, kept in plain numbers.</summary>
internal sealed class AgentModel
{
    private readonly Dictionary<uint, Command> _alive = [];

    public void Began(uint id) => _alive[id] = new Command();

    /// <summary>The host sends input, as much of what was asked for as it has leave for.</summary>
    public void Sent(HostCommand command, int bytes)
    {
        if (_alive.TryGetValue(command.Id, out Command? known))
        {
            bytes = Math.Min(bytes, command.Input.AvailableBytes);
            command.Input.Sent(bytes);
            known.Sent += (uint)bytes;
        }
    }

    /// <summary>So many 255ths of what was received on the stream have left the host's buffers.</summary>
    public void Consumed(HostCommand command, AgentStream stream, byte part)
    {
        if (!_alive.TryGetValue(command.Id, out Command? known))
        {
            return;
        }

        int index = (int)stream;
        int bytes = (int)((long)known.Unread[index] * part / byte.MaxValue);
        uint credit = command.Consumed(stream, bytes);
        known.Unread[index] -= bytes;
        known.Window[index] += (int)credit;
        if (known.Window[index] > AgentLimits.StreamWindowBytes)
        {
            throw new FindingException($"agent: the guest was given leave for {known.Window[index]} bytes on one stream");
        }
    }

    public void Judge(AgentFrame frame, AgentFault fault, HostEvent received)
    {
        if (fault != AgentFault.None || frame.Type is < AgentMessageType.Started or AgentMessageType.ShutdownDone)
        {
            return;
        }

        uint id = BinaryPrimitives.ReadUInt32LittleEndian(frame.Body);
        if (!_alive.TryGetValue(id, out Command? command) || received.Command?.Id != id)
        {
            throw new FindingException($"agent: {frame.Type} for command {id}, which is not alive, was taken");
        }

        switch (frame.Type)
        {
            case AgentMessageType.Started:
                Require(!command.Running, frame, "came twice");
                command.Running = true;
                break;
            case AgentMessageType.Data:
                int stream = (int)received.Stream;
                Require(stream is 1 or 2 && command.Running && !command.Ended[stream], frame, "was taken on a stream that is not open");
                command.Window[stream] -= received.Data.Length;
                command.Unread[stream] += received.Data.Length;
                Require(command.Window[stream] >= 0, frame, "runs over the leave that was given");
                Require(received.Data.Length <= AgentLimits.MaxDataBytes, frame, $"holds {received.Data.Length} bytes");
                break;
            case AgentMessageType.Credit:
                uint bytes = BinaryPrimitives.ReadUInt32LittleEndian(frame.Body[5..]);
                Require(command.Running && received.Stream == AgentStream.Input && frame.Body[4] == 0, frame, "was taken for what the guest does not read");
                Require(bytes != 0 && bytes <= command.Sent, frame, $"gives leave for {bytes} bytes, {command.Sent} were sent");
                command.Sent -= bytes;
                Require(received.Command.Input.AvailableBytes == AgentLimits.StreamWindowBytes - command.Sent, frame, $"leaves {received.Command.Input.AvailableBytes} bytes of leave");
                break;
            case AgentMessageType.End:
                Require(command.Running && !command.Ended[(int)received.Stream], frame, "was taken on a stream that is not open");
                command.Ended[(int)received.Stream] = true;
                break;
            case AgentMessageType.Exited:
                Require(command.Running && command.Ended[1] && command.Ended[2], frame, "came before the ends of its streams");
                _alive.Remove(id);
                break;
            case AgentMessageType.ExecFailed:
                Require(!command.Running, frame, "came for a command that runs");
                _alive.Remove(id);
                break;
            default:
                break;
        }
    }

    private static void Require(bool holds, AgentFrame frame, string what)
    {
        if (!holds)
        {
            throw new FindingException($"agent: {frame.Type} {what}");
        }
    }

    private sealed class Command
    {
        public bool Running { get; set; }

        public bool[] Ended { get; } = new bool[3];

        public int[] Window { get; } = [0, AgentLimits.StreamWindowBytes, AgentLimits.StreamWindowBytes];

        public int[] Unread { get; } = new int[3];

        /// <summary>Input under way: sent, and not given back.</summary>
        public uint Sent { get; set; }
    }
}
