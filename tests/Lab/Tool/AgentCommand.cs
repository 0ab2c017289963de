using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Sandbox.Lab.Machine;

namespace Sandbox.Lab.Tool;

/// <summary>One command in the lab host, in a session and process group of its own.</summary>
internal sealed class AgentCommand(FrameLine line, int id, Action<int> onEnd)
{
    /// <summary>How long output may still come from what the command left running, after its own end.</summary>
    private static readonly TimeSpan LeftoverLimit = TimeSpan.FromSeconds(2);

    private readonly BlockingCollection<ReadOnlyMemory<byte>> _input = [];
    private readonly TaskCompletionSource<int> _group = new();

    public void Start(CommandSpec spec) => NewThread(() => Run(spec));

    /// <summary>Queues bytes; the client's window bounds how many.</summary>
    public void TakeInput(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            _input.CompleteAdding();
        }
        else if (!_input.IsAddingCompleted)
        {
            _input.Add(bytes);
        }
    }

    public void Signal(int number)
    {
        if (_group.Task.Wait(1000) && _group.Task.Result > 0)
        {
            _ = KillGroup(-_group.Task.Result, number);
        }
    }

    private void Run(CommandSpec spec)
    {
        ProcessStartInfo start = new("/usr/bin/setsid")
        {
            WorkingDirectory = spec.Directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        foreach (string[] pair in spec.Variables.Select(variable => variable.Split('=', 2)))
        {
            start.Environment[pair[0]] = pair[1];
        }

        foreach (string argument in spec.Arguments)
        {
            start.ArgumentList.Add(argument);
        }

        int code;
        try
        {
            using Process process = Process.Start(start)!;
            _group.SetResult(process.Id);
            Thread output = NewThread(() => Pump(process.StandardOutput.BaseStream, FrameKind.Output));
            Thread error = NewThread(() => Pump(process.StandardError.BaseStream, FrameKind.Error));
            NewThread(() => Feed(process.StandardInput.BaseStream));
            process.WaitForExit();
            code = process.ExitCode;
            DateTime end = DateTime.UtcNow + LeftoverLimit;
            foreach (Thread pump in (Thread[])[output, error])
            {
                TimeSpan left = end - DateTime.UtcNow;
                pump.Join(left > TimeSpan.Zero ? left : TimeSpan.Zero);
            }
        }
        catch (Win32Exception failure)
        {
            _group.TrySetResult(0);
            line.Write(FrameKind.Error, id, Encoding.UTF8.GetBytes($"lab: {failure.Message}\n"));
            code = 127;
        }

        _input.CompleteAdding();
        onEnd(id);
        line.Write(FrameKind.Exited, id, code);
    }

    private void Pump(Stream from, FrameKind kind)
    {
        byte[] buffer = new byte[64 * 1024];
        try
        {
            for (int count; (count = from.Read(buffer)) > 0;)
            {
                line.Write(kind, id, buffer.AsSpan(0, count));
            }
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException)
        {
            // The command is over and what it left running is not waited for.
        }
    }

    private void Feed(Stream to)
    {
        try
        {
            foreach (ReadOnlyMemory<byte> bytes in _input.GetConsumingEnumerable())
            {
                to.Write(bytes.Span);
                to.Flush();
                line.Write(FrameKind.InputTaken, id, bytes.Length);
            }

            to.Dispose();
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException)
        {
            // The command reads no more: it takes the rest as `yes | head` does.
            foreach (ReadOnlyMemory<byte> bytes in _input.GetConsumingEnumerable())
            {
                line.Write(FrameKind.InputTaken, id, bytes.Length);
            }
        }
    }

    private static Thread NewThread(Action body)
    {
        Thread thread = new(() => body()) { IsBackground = true };
        thread.Start();
        return thread;
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int KillGroup(int pid, int signal);
}
