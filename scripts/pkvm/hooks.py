#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make hooks, make hooks-save: edit the hooks into the base kernel with git.

"hooks" makes build/hooks, a git repository of the base files that the topics of
patches/series change: the base as its first commit, then one commit for each topic
that has a diff, whose subject is the name of its file. Edit there with whatever git
offers (commit --fixup, rebase --autosquash), and "save" writes the diff of each commit
back into the file that its subject names, whose message stays as it is. A topic that
gets its first diff needs its file and its line in patches/series beforehand, and
files that nothing patched so far have to be named to "make": hooks.py make FILE...
"""

import argparse
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import topics  # noqa: E402
import tree  # noqa: E402

HOOKS = os.path.join(topics.TOP, 'build/hooks')
IDENTITY = ['-c', 'user.name=hooks', '-c', 'user.email=hooks@localhost']


class HooksError(Exception):
    """Why the hooks cannot be laid out or taken over."""


def git(*args):
    """Run git in the repository of the hooks; what it printed."""
    run = subprocess.run(['git', *IDENTITY, *args], cwd=HOOKS, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, check=False)
    if run.returncode:
        raise HooksError(f'git {args[0]} in build/hooks: {run.stdout.strip()}')
    return run.stdout


def dirty():
    """Whether the repository holds what "save" has not seen."""
    try:
        return bool(git('status', '--porcelain').strip()) or \
            git('rev-parse', 'HEAD') != git('rev-parse', 'saved')
    except HooksError:
        return True


def commit_all(subject):
    """One commit of everything."""
    git('add', '--all', '--force')
    git('commit', '--quiet', '--allow-empty', '--no-verify', '-m', subject)


def make(base, more, force):
    """Lay out the repository."""
    if os.path.exists(HOOKS) and not force and dirty():
        raise HooksError('build/hooks has changes that were not saved: make hooks-save '
                         'keeps them, hooks.py make --force drops them')
    laid = tree.Tree(base, os.path.join(topics.TOP, 'build'))
    series = topics.load_series()
    touched = sorted({path for topic in series for path in topic.touches} | set(more))
    shutil.rmtree(HOOKS, ignore_errors=True)
    os.makedirs(HOOKS)
    for path in touched:
        target = os.path.join(HOOKS, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(laid.keep_pristine(path), target)
    git('init', '--quiet')
    commit_all(f'base {laid.version()}')
    git('tag', 'base')
    for topic in series:
        if topic.touches:
            topic.apply(HOOKS, laid.version())
            commit_all(topic.name)
    git('tag', 'saved')
    print(f'  HOOKS   build/hooks, {len(touched)} files of the base {laid.version()}')


def diff_of(commit):
    """The diff of a commit in the form of patches/."""
    text = git('diff', '--no-ext-diff', '--no-color', '--no-renames', f'{commit}^', commit)
    return re.sub(r'^(?:diff --git|index) .*\n', '', text, flags=re.M)


def save():
    """Write each commit's diff into the topic that it is."""
    if git('status', '--porcelain').strip():
        raise HooksError('build/hooks has changes that are not committed')
    named = {topic.name: topic for topic in topics.load_series()}
    diffs = {}
    for line in git('log', '--reverse', '--format=%H %s', 'base..HEAD').splitlines():
        commit, _, subject = line.partition(' ')
        if subject not in named:
            raise HooksError(f'commit "{subject}" is no topic of patches/series: squash it '
                             'into the topic that it belongs to')
        if subject in diffs:
            raise HooksError(f'two commits are called "{subject}"')
        diffs[subject] = diff_of(commit)
    for name, topic in named.items():
        path = os.path.join(topics.TOP, 'patches', name)
        head = tree.read(path).partition('\n---\n')[0]
        text = head + '\n---\n' + diffs.get(name, '')
        topics.Topic(name, text)
        if text != tree.read(path):
            tree.replace(path, text.encode(), 0o644)
            print(f'  SAVED   patches/{name}')
    git('tag', '--force', 'saved')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('verb', choices=['make', 'save'])
    parser.add_argument('file', nargs='*', help='files of the base that get their first hook')
    parser.add_argument('--base', default=tree.BASE_TARBALL, help='tarball of the base kernel')
    parser.add_argument('--force', action='store_true', help='drop what was not saved')
    args = parser.parse_args()
    try:
        if args.verb == 'make':
            make(args.base, args.file, args.force)
        else:
            save()
    except (HooksError, tree.TreeError, topics.TopicError) as error:
        print(f'hooks.py: error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
