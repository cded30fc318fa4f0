"""Rendering of EigenScape-shaped corpora: 32 em32 channels from mono sounds.

    scenes      which sounds stand, walk and drive where, in each of the eight scenes
    draw        one recording from a scene and a seed, as a plan: what the JSON log holds
    procedural  built-in sounds; recorded: sounds of a folder
    motion, propagation, reverb, spectrum: how a sound reaches the array
    renderer    a plan becomes blocks of (32, n) samples
    wave, corpus, render_jobs: blocks become files, files a corpus that can be continued

Everything here is a simulation. It tests shapes, input and output, memory and the behavior of
training; it never supports a claim about the quality of a codec on EigenScape.
"""
