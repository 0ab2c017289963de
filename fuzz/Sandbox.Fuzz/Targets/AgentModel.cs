using System.Buffers.Binary;
using Sandbox.Control.Agent;

namespace Sandbox.Fuzz.Targets;

/// <summary>What a guest can never get past the session, kept in plain numbers.</summary>
internal sealed class AgentModel
{
    private readonly Dictionary<uint, Command> _alive = [];

    public void Began(uint id) => _alive[id] = new Command();

    /// <summary>Everything received on the stream has left the host's buffers.</summary>
    public void Consumed(HostCommand command, AgentStream stream)
    {
        if (!_alive.TryGetValue(command.Id, out Command? known))
        {
            return;
        }

        int index = (int)stream;
        uint credit = command.Consumed(stream, known.Unread[index]);
        known.Unread[index] = 0;
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
    }
}
