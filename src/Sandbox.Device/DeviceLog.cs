using System.Text;
using Sandbox.Linux;

namespace Sandbox.Device;

/// <summary>Diagnostics on standard error, a pipe that the launcher drains. Few lines in a lifetime: a guest must not be able to fill it.</summary>
internal static class DeviceLog
{
    private const int StandardError = 2;
    private const int MaxLines = 16;

    private static int s_lines;

    /// <summary>A line would still be written: a driver that causes one again and again must not make this process allocate its text each time.</summary>
    public static bool HasRoom => s_lines < MaxLines;

    public static void Line(string text)
    {
        if (HasRoom)
        {
            s_lines++;
            _ = FdIo.Write(StandardError, Encoding.ASCII.GetBytes($"sandbox-device: {text}\n"));
        }
    }
}
