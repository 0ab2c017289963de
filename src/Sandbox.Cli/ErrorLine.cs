using System.Text;
using Sandbox.Linux;

namespace Sandbox.Cli;

/// <summary>Lines of sandbox itself, on standard error, so that they never mix with the command's output.</summary>
internal static class ErrorLine
{
    private const int StandardError = 2;

    public static void Print(string message) => Write($"sandbox: {message}\n");

    public static void Write(string text) => _ = FdIo.WriteAll(StandardError, Encoding.UTF8.GetBytes(text));
}
