using System.Globalization;
using System.Runtime.InteropServices;
using Sandbox.Lab.Machine;

namespace Sandbox.Lab.Tool;

/// <summary>The tool's verbs on the build machine.</summary>
internal static class CommandLine
{
    private const int TimedOut = 124;
    private const int LabFailed = 125;

    public static int Usage()
    {
        Console.Error.WriteLine("usage: lab run|start [--cpus N] [--memory MB] [--timeout S] [--kernel-words WORDS] [--root IMAGE] [--] [COMMAND...] | lab exec [--timeout S] [--] COMMAND... | lab stop");
        return LabFailed;
    }

    public static int Run(string[] args)
    {
        string root = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../.."));
        string kept = Path.Combine(root, "artifacts/lab/session");
        LabOptions options = LabOptions.ForRepository(root);
        int timeoutSeconds = 0;
        int at = 1;
        for (; at < args.Length && args[at].StartsWith("--", StringComparison.Ordinal) && args[at] != "--"; at += 2)
        {
            if (at + 1 >= args.Length)
            {
                return Usage();
            }

            string value = args[at + 1];
            switch (args[at])
            {
                case "--cpus":
                    options = options with { Processors = int.Parse(value, CultureInfo.InvariantCulture) };
                    break;
                case "--memory":
                    options = options with { MemoryMegabytes = int.Parse(value, CultureInfo.InvariantCulture) };
                    break;
                case "--timeout":
                    timeoutSeconds = int.Parse(value, CultureInfo.InvariantCulture);
                    break;
                case "--kernel-words":
                    options = options with { KernelWords = value };
                    break;
                case "--root":
                    options = options with { RootImage = Path.GetFullPath(value) };
                    break;
                default:
                    return Usage();
            }
        }

        string[] command = args[Math.Min(args.Length, at < args.Length && args[at] == "--" ? at + 1 : at)..];
        try
        {
            switch (args[0])
            {
                case "start":
                    LabMachine.StopKept(kept);
                    LabMachine.BootKept(options, kept);
                    return 0;
                case "stop":
                    LabMachine.StopKept(kept);
                    return 0;
                case "exec" when command.Length > 0:
                    using (LabSession session = LabSession.TryConnect(Path.Combine(kept, "line"), TimeSpan.FromSeconds(10), () => Directory.Exists(kept))
                        ?? throw new LabException("no lab host answers; start one with: lab start"))
                    {
                        return Relay(session, command, timeoutSeconds);
                    }

                case "run" when command.Length > 0:
                    using (LabMachine machine = LabMachine.Boot(options))
                    {
                        return Relay(machine.Session, command, timeoutSeconds);
                    }

                default:
                    return Usage();
            }
        }
        catch (LabException failure)
        {
            Console.Error.WriteLine($"lab: {failure.Message}");
            return LabFailed;
        }
    }

    /// <summary>Runs a command with this process's own streams and signals.</summary>
    private static int Relay(LabSession session, string[] arguments, int timeoutSeconds)
    {
        using Stream output = Console.OpenStandardOutput();
        using Stream error = Console.OpenStandardError();
        LabCommand command = session.Start(new CommandSpec(arguments), bytes => Forward(output, bytes), bytes => Forward(error, bytes));
        new Thread(() => FeedInput(command)) { IsBackground = true }.Start();
        using PosixSignalRegistration interrupt = Pass(PosixSignal.SIGINT, 2);
        using PosixSignalRegistration terminate = Pass(PosixSignal.SIGTERM, 15);
        Task limit = Task.Delay(timeoutSeconds == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(timeoutSeconds));
        if (Task.WaitAny(command.Exit, limit) == 1)
        {
            Console.Error.WriteLine($"lab: no end within {timeoutSeconds} s");
            command.Signal(9);
            return TimedOut;
        }

        return command.Exit.GetAwaiter().GetResult();

        PosixSignalRegistration Pass(PosixSignal signal, int number) => PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            command.Signal(number);
        });
    }

    private static void Forward(Stream to, ReadOnlySpan<byte> bytes)
    {
        to.Write(bytes);
        to.Flush();
    }

    private static void FeedInput(LabCommand command)
    {
        using Stream input = Console.OpenStandardInput();
        byte[] buffer = new byte[32 * 1024];
        try
        {
            for (int count; (count = input.Read(buffer)) > 0;)
            {
                command.WriteInput(buffer.AsSpan(0, count));
            }

            command.EndInput();
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException)
        {
            // The machine has ended first.
        }
    }
}
