using System.Collections.Concurrent;
using Sandbox.Lab.Machine;

namespace Sandbox.Lab.Tool;

/// <summary>Inside the lab host: runs what the line asks for. When the client hangs up, what it started is killed.</summary>
internal sealed class Agent(string devicePath)
{
    private readonly ConcurrentDictionary<int, AgentCommand> _commands = new();

    public int Serve()
    {
        // Opened once: closing the device would throw away what the next client has sent by then.
        using FileStream device = new(devicePath, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        using FrameLine line = new(device);
        using KvmInUse? kvm = KvmInUse.Begin();
        while (true)
        {
            while (line.TryRead(out Frame frame))
            {
                Handle(line, frame);
            }

            // A hang-up reads as end of file until the next client comes.
            foreach (AgentCommand command in _commands.Values)
            {
                command.Signal(9);
            }

            Thread.Sleep(20);
        }
    }

    private void Handle(FrameLine line, Frame frame)
    {
        switch (frame.Kind)
        {
            case FrameKind.Hello:
                line.Write(FrameKind.Hello, 0, frame.Payload.Span);
                break;
            case FrameKind.Run:
                AgentCommand command = new(line, frame.CommandId, id => _commands.TryRemove(id, out _));
                _commands[frame.CommandId] = command;
                command.Start(CommandSpec.Decode(frame.Payload.Span));
                break;
            case FrameKind.Input when _commands.TryGetValue(frame.CommandId, out AgentCommand? taker):
                taker.TakeInput(frame.Payload);
                break;
            case FrameKind.Signal when _commands.TryGetValue(frame.CommandId, out AgentCommand? target):
                target.Signal(frame.Number);
                break;
        }
    }
}
