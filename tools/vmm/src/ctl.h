/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The client of the control socket: vmm ctl PATH COMMAND...
 */
#ifndef VMM_CTL_H
#define VMM_CTL_H

/**
 * ctl_main() - Send a command to a VMM, and print its answer.
 * @argc: number of words behind "ctl"
 * @argv: these words: the name of the socket, the command, its arguments
 *
 * The lines of an answer go to standard output, errors to standard error.
 *
 * Return: an exit status of options.h: EXIT_GUEST_OFF if the VMM has carried out the command,
 * EXIT_VMM_ERROR if not, EXIT_USAGE if there is no command.
 */
int ctl_main(int argc, char **argv);

#endif /* VMM_CTL_H */
