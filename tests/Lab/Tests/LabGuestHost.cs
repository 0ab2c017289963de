using System.Diagnostics;
using System.Text;
using Sandbox.Lab.Machine;

namespace Sandbox.Lab.Tests;

/// <summary>The lab host, booted anew should it die.</summary>
internal sealed class LabGuestHost : IGuestHost
{
    private readonly LabOptions _options = LabOptions.ForRepository(Product.Root);
    private LabMachine? _machine;

    public async Task<CommandResult> RunAsync(IReadOnlyList<string> arguments, byte[] input, TimeSpan limit)
    {
        _machine ??= await Task.Run(() => LabMachine.Boot(_options));
        MemoryStream output = new();
        MemoryStream error = new();
        Stopwatch clock = Stopwatch.StartNew();
        LabCommand command = _machine.Session.Start(
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
            command.Signal(9);
            throw new TimeoutException($"{string.Join(' ', arguments)}: no end within {limit.TotalSeconds} s; output so far:\n{Encoding.UTF8.GetString(output.ToArray())}\n{Encoding.UTF8.GetString(error.ToArray())}");
        }
        catch (LabException)
        {
            string log = _machine.ReadLogs();
            _machine.Dispose();
            _machine = null;
            throw new LabException($"{string.Join(' ', arguments)}: the lab host died under it:\n{log}");
        }
    }

    public void Dispose() => _machine?.Dispose();
}
