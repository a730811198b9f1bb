// A JupyterLab extension without a build step: JupyterLab asks _JUPYTERLAB[name] for a module with a plugin.
// Slides are the cells between two slide tags (slide, subslide); a fragment waits for one more key; cells tagged
// skip or notes stay away. All code up to the end of a slide runs when the slide is reached, each cell once.
// Where a cell gives a picture, a table or Markdown, its code stays away until C is pressed.
(() => {
  const HELP = 'PageDown, PageUp: slides · C: code · N: notes · R: run again · Esc: notebook'
  const SIZES = [34, 30, 27, 24, 22, 20, 18, 16]  // px of letters
  const PICTURES = [[75, 22], [65, 20], [55, 18], [45, 16]]  // % of the window's height, least letters beside it
  const BELOW = 40  // px for the bar at the bottom
  const style = new URL('talk.css', document.currentScript.src).href
  let shared

  const kind = cell => cell.model.getMetadata('slideshow')?.slide_type ?? '-'
  const isCode = cell => cell.model.type === 'code'
  const wait = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds))

  /** The slides: cells shown at once or after one more key each, notes, and where the slide's code ends. */
  function slidesOf(cells) {
    const slides = []
    cells.forEach((cell, index) => {
      const type = kind(cell)
      if (type === 'slide' || type === 'subslide' || !slides.length) {
        const title = type === 'slide' ? heading(cell) : slides.at(-1)?.title
        slides.push({ title, steps: [[]], notes: [], end: index + 1 })
      }
      const slide = slides.at(-1)
      slide.end = index + 1
      if (type === 'skip' || type === 'notes') slide.notes.push(...(type === 'notes' ? [cell] : []))
      else if (type === 'fragment') slide.steps.push([cell])
      else slide.steps.at(-1).push(cell)
    })
    return slides
  }

  const heading = cell => cell.model.sharedModel.getSource().match(/^#+ +(.*)/m)?.[1] ?? ''

  /** The notebook of this window, once it is there with all its cells. */
  async function notebookOf(app) {
    for (;;) {
      const panel = app.shell.currentWidget
      if (panel?.context?.isReady && panel.content?.widgets?.length) return panel
      await wait(100)
    }
  }

  /** Code cells run in order, each once; `told` hears when one begins or ends. */
  function runner(panel, cells, told) {
    let next = 0
    async function execute(cell) {
      cell.node.classList.add('course-runs')
      told()
      await panel.sessionContext.ready
      const reply = await shared.CodeCell.execute(cell, panel.sessionContext).catch(error => ({ content: error }))
      cell.node.classList.remove('course-runs')
      cell.node.classList.toggle('course-failed', reply?.content?.status !== 'ok')
      told()
    }
    return {
      upTo(end) { for (; next < end; next++) if (isCode(cells[next])) execute(cells[next]) },
      again(some) { some.filter(isCode).forEach(execute) },
    }
  }

  /** Letters as large as fit; pictures shrink before letters become too small. */
  function fit(panel) {
    const outer = panel.content.node.querySelector('.jp-WindowedPanel-outer')
    const set = (name, value) => document.body.style.setProperty(name, value)
    const fits = () => {
      const last = [...outer.querySelectorAll('.jp-Cell:not(.course-away)')].at(-1)
      const wide = '.jp-Cell:not(.course-away) .jp-RenderedHTMLCommon :is(mjx-container[display], table)'
      const inside = part => part.scrollWidth <= part.closest('.jp-RenderedHTMLCommon').clientWidth
      return (!last || last.offsetTop + last.offsetHeight + BELOW <= outer.clientHeight)
        && [...outer.querySelectorAll(wide)].every(inside)
    }
    outer.scrollTop = 0
    for (const [height, least] of PICTURES) {
      set('--talk-picture', `${height}vh`)
      const large = SIZES.filter(size => size >= least)
      if (large.some(size => { set('--talk-size', `${size}px`); return fits() })) return
    }
  }

  function bars() {
    return ['top', 'bottom'].map(place => {
      const bar = document.createElement('div')
      bar.className = `course-talk-bar ${place}`
      bar.innerHTML = '<span></span><span></span>'
      bar.children[1].setAttribute('role', 'status')
      return document.body.appendChild(bar)
    })
  }

  function talk(app, panel) {
    const cells = [...panel.content.widgets]
    const slides = slidesOf(cells)
    const [top, bottom] = bars()
    const start = Number(location.hash.slice(1).split('/')[0]) || 1
    let at = Math.min(start, slides.length) - 1
    let step = 0
    let notes = false
    const collapsed = cells.filter(cell => isCode(cell) && cell.inputHidden)

    function say() {
      const slide = slides[at]
      const first = slide.steps[0][0]
      top.children[0].textContent = first && heading(first) === slide.title ? '' : slide.title
      top.children[1].textContent = `${at + 1} / ${slides.length}`
      const any = name => cells.some(cell => cell.node.classList.contains(name))
      const failed = any('course-failed')
      bottom.children[0].textContent = failed ? 'A cell failed; Esc shows the notebook' : at ? '' : HELP
      bottom.children[0].classList.toggle('course-talk-failed', failed)
      bottom.children[1].textContent = any('course-runs') ? 'running' : ''
    }
    const run = runner(panel, cells, say)
    const grown = new ResizeObserver(() => fit(panel))
    cells.forEach(cell => grown.observe(cell.node))

    function show() {
      const slide = slides[at]
      const seen = new Set([...slide.steps.slice(0, step + 1).flat(), ...(notes ? slide.notes : [])])
      cells.forEach(cell => cell.node.classList.toggle('course-away', !seen.has(cell)))
      document.activeElement?.blur()
      history.replaceState(null, '', `#${at + 1}`)
      say()
      fit(panel)
      run.upTo(slide.end)
    }
    function code(on) {
      document.body.classList.toggle('course-talk-code', on)
      collapsed.forEach(cell => { cell.inputHidden = !on })
    }
    function go(by) {
      if (slides[at].steps[step + by]) step += by
      else if (slides[at + by]) [at, step, notes] = [at + by, by > 0 ? 0 : slides[at + by].steps.length - 1, false]
      show()
    }
    const keys = {
      PageDown: () => go(1), PageUp: () => go(-1), ArrowRight: () => go(1), ArrowLeft: () => go(-1),
      ' ': () => go(1), Home: () => { at = step = 0; show() }, End: () => { at = slides.length - 1; step = 0; show() },
      r: () => run.again(slides[at].steps.flat()), n: () => { notes = !notes; show() }, Escape: leave,
      c: () => code(!document.body.classList.contains('course-talk-code')),
    }
    function pressed(event) {
      const within = kinds => event.target.closest?.(kinds)
      const name = event.key.length === 1 ? event.key.toLowerCase() : event.key
      const always = name === 'PageDown' || name === 'PageUp' || name === 'Escape'  // a clicker's keys win
      const own = within('textarea, input:not([type=checkbox]), .cm-editor')  // here letters are letters
        || (!/^[a-z]$/.test(name) && within('input, select, button, summary, a, .noUi-handle'))
      if (!keys[name] || (own && !always) || event.ctrlKey || event.altKey || event.metaKey) return
      event.preventDefault()
      event.stopImmediatePropagation()
      keys[name]()
    }
    const resized = () => fit(panel)
    function leave() {
      window.removeEventListener('keydown', pressed, true)
      window.removeEventListener('resize', resized)
      grown.disconnect()
      cells.forEach(cell => cell.node.classList.remove('course-away'))
      code(false)
      top.remove()
      bottom.remove()
      dress(app, panel, false)
      panel.content.activeCellIndex = cells.indexOf(slides[at].steps.flat()[0])
    }
    window.addEventListener('keydown', pressed, true)
    window.addEventListener('resize', resized)
    show()
  }

  /** Hide everything but the notebook, or bring it back. */
  function dress(app, panel, on) {
    document.body.classList.toggle('course-talk', on)
    const around = [...app.shell.layout.widgets.filter(widget => /top|menu|header|bottom/.test(widget.id)), panel.toolbar]
    around.forEach(widget => widget.setHidden(on))
    if (on) for (const side of ['Left', 'Right']) app.shell[`collapse${side}`]()  // an open file browser
    for (const side of ['left', 'right']) {
      if (app.shell.isSideTabBarVisible(side) === on) app.shell.toggleSideTabBarVisibility(side)
    }
  }

  async function activate(app) {
    await app.restored
    document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: style }))
    const panel = await notebookOf(app)
    dress(app, panel, true)
    await wait(300)
    talk(app, panel)
  }

  async function init(scope) {
    const versions = Object.values(scope['@jupyterlab/cells'])
    shared = (await versions.at(-1).get())()
  }
  const plugin = { id: 'course-talk:plugin', autoStart: true, activate: app => void activate(app) }
  window._JUPYTERLAB = window._JUPYTERLAB ?? {}
  window._JUPYTERLAB['course-talk'] = { init, get: async () => () => ({ __esModule: true, default: plugin }) }
})()
