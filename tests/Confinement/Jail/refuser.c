// In the place of sandbox-jail as keeper of control groups: says that a group cannot be entered (JailStep.EnterGroups, EACCES), and ends.
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

int main(void)
{
    int32_t report[2] = {36, EACCES};
    return write(250, report, sizeof report) == sizeof report ? 125 : 1;
}
