using System.Diagnostics;

namespace Sandbox.Lab.Tests;

/// <summary>This machine itself, where it virtualizes. It is one, and its tests look for what others left behind: one command at a time, of all groups.</summary>
internal sealed class LocalGuestHost : IGuestHost
{
    private static readonly SemaphoreSlim Turn = new(1);

    public async Task<CommandResult> RunAsync(IReadOnlyList<string> arguments, byte[] input, TimeSpan limit)
    {
        await Turn.WaitAsync();
        try
        {
            return await RunInTurnAsync(arguments, input, limit);
        }
        finally
        {
            Turn.Release();
        }
    }

    public void Dispose()
    {
    }

    private static async Task<CommandResult> RunInTurnAsync(IReadOnlyList<string> arguments, byte[] input, TimeSpan limit)
    {
        ProcessStartInfo start = new(arguments[0], arguments.Skip(1))
        {
            WorkingDirectory = Product.Root,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Stopwatch clock = Stopwatch.StartNew();
        using Process process = Process.Start(start)!;
        MemoryStream output = new();
        Task copying = process.StandardOutput.BaseStream.CopyToAsync(output);
        Task<string> error = process.StandardError.ReadToEndAsync();
        Task feeding = FeedAsync(process.StandardInput.BaseStream, input);
        try
        {
            await process.WaitForExitAsync().WaitAsync(limit);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{string.Join(' ', arguments)}: no end within {limit.TotalSeconds} s");
        }

        TimeSpan elapsed = clock.Elapsed;
        await Task.WhenAll(copying, error, feeding);
        return new CommandResult(process.ExitCode, output.ToArray(), await error, elapsed);
    }

    private static async Task FeedAsync(Stream to, byte[] input)
    {
        try
        {
            await to.WriteAsync(input);
            await to.DisposeAsync();
        }
        catch (IOException)
        {
            // The command does not read its input.
        }
    }
}
