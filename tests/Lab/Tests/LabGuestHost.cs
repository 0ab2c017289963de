using System.Diagnostics;
using System.Text;
using Sandbox.Lab.Machine;

namespace Sandbox.Lab.Tests;

/// <summary>
/// The lab host, booted anew should it die or hang, or a guest in it stand still or its kernel meet a fault that no program caused: the
/// emulator did that to one guest in some hundred until host/emulator.sh took a flaw out of it. Then the command is run once more on a new lab host,
/// and a line says so: what comes of that counts. Each such line is worth a look, for a rare fault of ours would look the same.
/// </summary>
/// <param name="options">What it looks like; null: as `make lab` made it.</param>
/// <param name="prepare">A bash script that every new machine runs first; null: none.</param>
internal sealed class LabGuestHost(LabOptions? options = null, string? prepare = null) : IGuestHost
{
    private const int Attempts = 2;
    private static readonly Lock Report = new(); // one file, several lab hosts
    private static readonly TimeSpan PrepareLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(20);

    private readonly LabOptions _options = options ?? LabOptions.ForRepository(Product.Root);
    private LabMachine? _machine;

    public async Task<CommandResult> RunAsync(IReadOnlyList<string> arguments, byte[] input, TimeSpan limit)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                _machine ??= await BootAsync();
                CommandResult result = await RunOnceAsync(_machine, arguments, input, limit);
                if (attempt == Attempts || !IsGuestLost(arguments, result))
                {
                    return result;
                }

                Forget(_machine, $"a guest in the lab host was lost, its command is run again: {result}");
            }
            catch (Exception error) when (error is LabException or TimeoutException)
            {
                if (_machine is null)
                {
                    throw; // it did not even boot, in several attempts
                }

                // While the command still stands: what it waits for is to be seen there.
                string? processes = error is TimeoutException ? await ProcessesAsync(_machine) : null;
                string log = _machine.ReadLogs();
                string where = $"{error.Message}\n{processes}";
                Forget(_machine, $"{(processes is null ? "lab host died or hung under a command" : "a command in the lab host had no end")} (attempt {attempt} of {Attempts}): {where}");
                if (attempt == Attempts)
                {
                    throw new LabException($"{(processes is null ? "the lab host died or hung" : "no end")}, {Attempts} times: {where}\n{log}");
                }
            }
        }
    }

    public void Dispose() => _machine?.Dispose();

    private async Task<LabMachine> BootAsync()
    {
        LabMachine machine = await Task.Run(() => LabMachine.Boot(_options));
        if (prepare is not null)
        {
            CommandResult result = await RunOnceAsync(machine, ["bash", "-c", prepare], [], PrepareLimit);
            if (result.ExitCode != 0)
            {
                machine.Dispose();
                throw new InvalidOperationException($"the lab host could not be prepared: {result}");
            }
        }

        return machine;
    }

    private static async Task<CommandResult> RunOnceAsync(LabMachine machine, IReadOnlyList<string> arguments, byte[] input, TimeSpan limit)
    {
        MemoryStream output = new();
        MemoryStream error = new();
        Stopwatch clock = Stopwatch.StartNew();
        LabCommand command = machine.Session.Start(
            new CommandSpec(arguments) { Directory = Product.Root },
            bytes => output.Write(bytes),
            bytes => error.Write(bytes));
        Task feeding = Task.Factory.StartNew(
            () =>
            {
                command.WriteInput(input);
                command.EndInput();
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        try
        {
            int code = await command.Exit.WaitAsync(limit);
            await feeding;
            return new CommandResult(code, output.ToArray(), Encoding.UTF8.GetString(error.ToArray()), clock.Elapsed);
        }
        catch (TimeoutException)
        {
            // Its words first: a report shows the first lines.
            throw new TimeoutException($"no end within {limit.TotalSeconds} s; output so far:\n{Encoding.UTF8.GetString(output.ToArray())}\n{Encoding.UTF8.GetString(error.ToArray())}\nof {string.Join(' ', arguments)}");
        }
    }

    // The runner shows no test's standard error: .ci/test.sh prints this file.
    private void Forget(LabMachine machine, string why)
    {
        machine.Dispose();
        _machine = null;
        string folder = Directory.CreateDirectory(Path.Combine(Product.Root, "artifacts/tests")).FullName;
        lock (Report)
        {
            File.AppendAllText(Path.Combine(folder, "run-again.txt"), why + "\n");
        }
    }

    // What `sandbox` says when the guest's kernel met such a fault, at work or on its way to its handler, or stood still. A test that sets the time
    // for an answer itself is about guests that give none.
    private static bool IsGuestLost(IReadOnlyList<string> arguments, CommandResult result) =>
        result.ExitCode == 125 && !arguments.Any(static argument => argument.Contains("--timeout", StringComparison.Ordinal)) && Array.Exists(
            (string[])["Fatal exception", "the guest stopped by itself (TripleFault)", "the guest did not answer within"],
            words => result.Error.Contains(words, StringComparison.Ordinal));

    /// <summary>What runs in a lab host whose command has no end, and where each process waits; null: it does not answer.</summary>
    private static async Task<string?> ProcessesAsync(LabMachine machine)
    {
        try
        {
            return (await RunOnceAsync(machine, ["ps", "-N", "--pid", "2", "--ppid", "2", "-o", "pid,ppid,etimes,time,stat,wchan:24,args:160", "--forest"], [], AnswerLimit)).Text;
        }
        catch (Exception error) when (error is LabException or TimeoutException)
        {
            return null;
        }
    }
}
