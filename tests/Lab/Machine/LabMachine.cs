using System.Diagnostics;

namespace Sandbox.Lab.Machine;

/// <summary>A booted lab host and the connection to it. Disposing ends it and everything in it.</summary>
public sealed class LabMachine : IDisposable
{
    private const int BootAttempts = 3;

    private readonly string _stateDirectory;
    private readonly Process[] _processes;
    private readonly ManualResetEventSlim _end;

    private LabMachine(string stateDirectory, Process[] processes, ManualResetEventSlim end, LabSession session)
    {
        (_stateDirectory, _processes, _end) = (stateDirectory, processes, end);
        Session = session;
    }

    public LabSession Session { get; }

    /// <summary>Boots a machine that ends with this process. About two seconds.</summary>
    /// <exception cref="LabException">It did not boot, three times in a row; the message holds what it said.</exception>
    public static LabMachine Boot(LabOptions options)
    {
        string lastWords = "";
        for (int attempt = 1; attempt <= BootAttempts; attempt++)
        {
            string state = System.IO.Directory.CreateTempSubdirectory("sandbox-lab-").FullName;
            Process[] processes = StartTogether(options, state, out ManualResetEventSlim end);
            LabSession? session = LabSession.TryConnect(Path.Combine(state, "line"), options.BootLimit, () => !processes.Any(process => process.HasExited));
            if (session is not null)
            {
                return new LabMachine(state, processes, end, session);
            }

            lastWords = ReadLogs(state);
            Stop(processes, end, state);
        }

        throw new LabException($"the lab host did not boot in {BootAttempts} attempts: {lastWords}");
    }

    /// <summary>Boots a machine that stays until <see cref="StopKept"/>; its state lies in the given folder.</summary>
    public static void BootKept(LabOptions options, string stateDirectory)
    {
        System.IO.Directory.CreateDirectory(stateDirectory);
        Process[] processes = Start(options, stateDirectory, outlive: true);
        using LabSession? session = LabSession.TryConnect(Path.Combine(stateDirectory, "line"), options.BootLimit, () => !processes.Any(process => process.HasExited));
        if (session is null)
        {
            string lastWords = ReadLogs(stateDirectory);
            StopKept(stateDirectory);
            throw new LabException($"the lab host did not boot: {lastWords}");
        }
    }

    /// <summary>Ends a machine of <see cref="BootKept"/>; without effect where there is none.</summary>
    public static void StopKept(string stateDirectory)
    {
        string pidFile = Path.Combine(stateDirectory, "pid");
        if (File.Exists(pidFile) && int.TryParse(File.ReadAllText(pidFile), out int pid))
        {
            try
            {
                using Process emulator = Process.GetProcessById(pid);
                emulator.Kill();
                emulator.WaitForExit();
            }
            catch (ArgumentException)
            {
                // It has ended by itself.
            }
        }

        if (System.IO.Directory.Exists(stateDirectory))
        {
            System.IO.Directory.Delete(stateDirectory, recursive: true);
        }
    }

    public void Dispose()
    {
        Session.Dispose();
        Stop(_processes, _end, _stateDirectory);
    }

    /// <summary>What the machine's kernel and its two processes have said, for a failure's message.</summary>
    public string ReadLogs() => ReadLogs(_stateDirectory);

    /// <summary>The kernel ties the processes to the thread that started them, so that thread stays until the end.</summary>
    private static Process[] StartTogether(LabOptions options, string state, out ManualResetEventSlim end)
    {
        TaskCompletionSource<Process[]> started = new();
        ManualResetEventSlim ending = new();
        new Thread(() =>
        {
            try
            {
                started.SetResult(Start(options, state, outlive: false));
            }
            catch (Exception failure) when (failure is IOException or LabException or InvalidOperationException or System.ComponentModel.Win32Exception)
            {
                started.SetException(failure);
                return;
            }

            ending.Wait();
        }) { IsBackground = true, Name = "lab processes" }.Start();
        end = ending;
        return started.Task.GetAwaiter().GetResult();
    }

    private static Process[] Start(LabOptions options, string state, bool outlive)
    {
        Process files = LabProcesses.StartFileServer(options, state, outlive);
        string socket = Path.Combine(state, "files");
        for (int wait = 0; !File.Exists(socket) && !files.HasExited && wait < 500; wait++)
        {
            Thread.Sleep(10);
        }

        if (!File.Exists(socket))
        {
            throw new LabException($"the file server of the lab host did not start: {ReadLogs(state)}");
        }

        return [LabProcesses.StartEmulator(options, state, outlive), files];
    }

    private static void Stop(Process[] processes, ManualResetEventSlim end, string state)
    {
        foreach (Process process in processes)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            process.Dispose();
        }

        end.Set();
        System.IO.Directory.Delete(state, recursive: true);
    }

    private static string ReadLogs(string state) => string.Join(
        '\n',
        ((string[])["console", "emulator.log", "files.log"])
            .Select(name => Path.Combine(state, name))
            .Where(File.Exists)
            .SelectMany(path => File.ReadLines(path).TakeLast(30))
            .Where(line => !line.Contains("TCG doesn't support", StringComparison.Ordinal)));
}
