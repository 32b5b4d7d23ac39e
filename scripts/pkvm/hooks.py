#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""make hooks, make hooks-save: edit the patches to files of the base kernel as git commits.

"make" creates build/hooks, a git repository of the base files that the topics of patches/series
change. Its first commit is the base. One commit follows for each topic with a diff; the commit's
subject is the name of the topic's file. Edit the commits with git (commit --fixup, rebase
--autosquash). "save" then writes the diff of each commit back to the file that the subject names,
and keeps that file's message. Before a topic gets its first diff, create its file and its line in
patches/series. A base file that no topic changes yet has to be an argument of "make": hooks.py
make FILE...

"count" says how many lines of the base each topic changes, and all of them together.
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
    """The repository could not be created, or its commits could not be saved."""


def git(*args):
    """Run git in build/hooks and return its output; raise HooksError if it fails."""
    run = subprocess.run(['git', *IDENTITY, *args], cwd=HOOKS, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, check=False)
    if run.returncode:
        raise HooksError(f'git {args[0]} in build/hooks: {run.stdout.strip()}')
    return run.stdout


def dirty():
    """Return whether the repository has changes that were not saved."""
    try:
        return bool(git('status', '--porcelain').strip()) or \
            git('rev-parse', 'HEAD') != git('rev-parse', 'saved')
    except HooksError:
        return True


def commit_all(subject):
    """Commit all files."""
    git('add', '--all', '--force')
    git('commit', '--quiet', '--allow-empty', '--no-verify', '-m', subject)


def make(base, more, force):
    """Create the repository; more are base files that no topic changes yet."""
    if os.path.exists(HOOKS) and not force and dirty():
        raise HooksError('build/hooks has changes that were not saved: save them by make '
                         'hooks-save, or discard them by hooks.py make --force')
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
    """Return the diff of a commit in the format of the files in patches/."""
    text = git('diff', '--no-ext-diff', '--no-color', '--no-renames', f'{commit}^', commit)
    return re.sub(r'^(?:diff --git|index) .*\n', '', text, flags=re.M)


def save():
    """Write the diff of each commit to the file of its topic."""
    if git('status', '--porcelain').strip():
        raise HooksError('build/hooks has changes that are not committed')
    named = {topic.name: topic for topic in topics.load_series()}
    diffs = {}
    for line in git('log', '--reverse', '--format=%H %s', 'base..HEAD').splitlines():
        commit, _, subject = line.partition(' ')
        if subject not in named:
            raise HooksError(f'commit "{subject}" is not a topic of patches/series: squash it '
                             'into the commit of the topic that it belongs to')
        if subject in diffs:
            raise HooksError(f'two commits have the subject "{subject}"')
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


def count():
    """How many lines of the base each topic changes, by the name of the topic."""
    return {topic.name: topic.changed_lines() for topic in topics.load_series() if topic.touches}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('verb', choices=['make', 'save', 'count'])
    parser.add_argument('file', nargs='*', help='base files that no topic changes yet')
    parser.add_argument('--base', default=tree.BASE_TARBALL, help='tarball of the base kernel')
    parser.add_argument('--force', action='store_true', help='discard changes that were not saved')
    args = parser.parse_intermixed_args()
    try:
        if args.verb == 'make':
            make(args.base, args.file, args.force)
        elif args.verb == 'save':
            save()
        else:
            lines = count()
            for name, changed in lines.items():
                print(f'{changed:5} {name}')
            print(f'{sum(lines.values()):5} in all')
    except (HooksError, tree.TreeError, topics.TopicError) as error:
        print(f'hooks.py: error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
